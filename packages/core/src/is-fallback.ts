// Tells a stand-in from an answer of the host, in whatever form a client hands it on.
import { header, type HeaderPairs } from './headers.ts'
import type { FallbackMark } from './reply.ts'

const MARK: unique symbol = Symbol.for('fuseboard.fallback')

// Our member of Cache-Status (RFC 9211).
const MEMBER = /(?:^|,)[ \t]*Fuseboard((?:[ \t]*;[ \t]*[\w-]+(?:=[\w.-]+)?)*)[ \t]*(?=,|$)/g

/**
 * What a response says of itself where it is a stand-in; undefined where the host answered. Takes the response of any
 * client; where a client handed on nothing but headers, the mark is read from those.
 *
 * @example
 * const response = await fetch(url)
 * if (isFallback(response)) banner.show('This may be out of date')
 */
export function isFallback(response: unknown): FallbackMark | undefined {
  if (!isObject(response)) return undefined
  const { headers } = response as { headers?: unknown }
  return markOn(response) ?? (isObject(headers) ? (markOn(headers) ?? markIn(headers)) : undefined)
}

/** @internal Marks a response, or its headers, as a stand-in. */
export function markFallback(target: object, mark: FallbackMark): void {
  Reflect.defineProperty(target, MARK, { value: mark, configurable: true })
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const markOn = (target: object): FallbackMark | undefined => (target as { [MARK]?: FallbackMark })[MARK]

function markIn(headers: object): FallbackMark | undefined {
  const says = [...(field(headers, 'cache-status') ?? '').matchAll(MEMBER)].at(-1)?.[1]
  if (says === undefined) return undefined
  const age = Number(field(headers, 'age') ?? NaN) * 1_000
  const status = /fwd-status=(\d+)/.exec(says)?.[1]
  return {
    source: says.endsWith('detail=made') ? 'made' : 'stored',
    reason: says.includes('fwd=') ? 'failed' : 'refused',
    ...(age >= 0 && { age }),
    ...(status !== undefined && { masked: { status: Number(status) } }),
  }
}

/** A header, whether the headers are a `Headers`, pairs, or an object as Node's. */
function field(headers: object, name: string): string | undefined {
  if ('get' in headers && typeof headers.get === 'function') {
    const value: unknown = headers.get(name)
    return typeof value === 'string' ? value : undefined
  }
  const pairs = Symbol.iterator in headers ? (headers as HeaderPairs) : Object.entries(headers)
  // Node gives repeated fields as a list.
  return header(pairs, name)?.toString()
}
