// A reply of the policy's own making: what to answer where the host cannot and nothing is stored.
import { isFieldValue, isToken } from './field.ts'
import type { HeaderPairs } from './headers.ts'
import { Check } from './check.ts'
import { MAKER, type Failure, type Fallback, type Reply } from './reply.ts'
import { standIn } from './stand-in.ts'

/** What a made reply holds: one of `json`, `text` and `body`, unless its status allows none (204, 205, 304). */
export interface MadeReply {
  /** @default 200 */
  status?: number
  /** @default '' */
  statusText?: string
  /** Besides `content-type`, which goes by the kind of the body unless it is given, and `cache-control: no-store`. */
  headers?: Readonly<Record<string, string>> | HeaderPairs
  json?: unknown
  text?: string
  body?: Uint8Array
  /**
   * The methods it answers.
   * @default GET and HEAD; where a function in the policy's list gives it back, whichever that function was asked for
   */
  methods?: readonly string[]
}

/**
 * Stands in with an answer made beforehand. No cache keeps it, no client retries it, and {@link isFallback} tells it.
 *
 * @example fallback: [staleIfError({ keepFor: '1d' }), reply({ json: { items: [] } })]
 * @throws TypeError or RangeError where an option is wrong
 */
export function reply(made: MadeReply): Fallback {
  const check = new Check('reply')
  check.known(made, Object.keys(OPTIONS))
  const { status = 200, statusText = '', methods } = made
  if (!(Number.isInteger(status) && status >= 200 && status <= 599))
    check.fail('status', 'must be from 200 to 599', status)
  if (!isFieldValue(statusText)) check.fail('statusText', 'must be text on one line', statusText, TypeError)
  const [type, body] = readBody(made, status, check)
  const answer = { status, statusText, headers: readHeaders(made.headers ?? {}, type, check), body, decoded: true }
  const answered = readMethods(methods ?? ['GET', 'HEAD'], check)

  const chosen = (failure: Failure): Reply => standIn(answer, failure)
  return {
    standIn: (failure) => (answered.includes(failure.request.method) ? chosen(failure) : undefined),
    ...(methods === undefined && { chosen }),
  }
}

Reflect.set(reply, MAKER, true)

const OPTIONS: Record<keyof MadeReply, true> = {
  status: true,
  statusText: true,
  headers: true,
  json: true,
  text: true,
  body: true,
  methods: true,
}

const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

// They say how bytes travel, which no policy can know, or would let a cache keep what was made.
const NOT_ITS_OWN = /^(?:cache-control|content-encoding|content-length|transfer-encoding|connection)$/i

function readBody({ json, text, body }: MadeReply, status: number, check: Check): [type: string, Uint8Array] {
  const given = [json, text, body].filter((one) => one !== undefined).length
  const wanted = BODILESS.has(status) ? 0 : 1
  if (given !== wanted) {
    const rule = `must be given ${wanted ? 'once' : 'not at all'} with status ${status}`
    check.fail('json, text or body', rule, given, TypeError)
  }
  if (body !== undefined) {
    if (!(body instanceof Uint8Array)) check.fail('body', 'must be a Uint8Array', body, TypeError)
    return ['application/octet-stream', new Uint8Array(body)]
  }
  check.optional(text, 'text', 'string')
  const written = text ?? (wanted ? textOf(json, check) : '')
  const type = text === undefined ? 'application/json' : 'text/plain;charset=utf-8'
  return [wanted ? type : '', new TextEncoder().encode(written)]
}

function textOf(json: unknown, check: Check): string {
  try {
    const text = JSON.stringify(json) as string | undefined
    if (text !== undefined) return text
  } catch {
    // A cycle or a BigInt: no JSON either.
  }
  return check.fail('json', 'must be a value that JSON has', json, TypeError)
}

function readHeaders(given: NonNullable<MadeReply['headers']>, type: string, check: Check): Reply['headers'] {
  const pairs = typeof given === 'object' ? [...(Symbol.iterator in given ? given : Object.entries(given))] : [given]
  if (!pairs.every(Array.isArray)) check.fail('headers', 'must be an object or pairs', given, TypeError)
  const headers = pairs.map(([name, value]) => {
    const fits = isToken(name) && isFieldValue(value) && !NOT_ITS_OWN.test(name)
    return fits
      ? ([name, value] as const)
      : check.fail('headers', 'must be names and lines of text, and not of the wire', { [name]: value })
  })
  const typed = headers.some(([name]) => name.toLowerCase() === 'content-type')
  return [...(typed || type === '' ? [] : [['content-type', type] as const]), ...headers, ['cache-control', 'no-store']]
}

function readMethods(methods: readonly string[], check: Check): readonly string[] {
  if (!(Array.isArray(methods) && methods.length > 0 && methods.every(isToken))) {
    check.fail('methods', "must be a list such as ['GET']", methods, TypeError)
  }
  return methods.map((method) => method.toUpperCase())
}
