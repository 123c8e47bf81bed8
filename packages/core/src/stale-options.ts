// The options of staleIfError, and what they come to.
import { CREDENTIAL } from './credentials.ts'
import type { Duration } from './duration.ts'
import { isToken } from './field.ts'
import { readBytes } from './memory-replies.ts'
import { judgeStatus } from './outcome.ts'
import { Check } from './check.ts'
import type { HttpRequest } from './request.ts'

/** What a host may forbid and a policy may do all the same, by name. */
export type Ignorable = 'must-revalidate' | 'proxy-revalidate' | 's-maxage' | 'no-cache'

/** When stored replies stand in. Without options, only as hosts allow by themselves. */
export interface StaleIfErrorOptions {
  /**
   * Permission to keep answers of hosts that do not say for how long they may be used, and to use them for so long after
   * they have gone stale. No permission beats `no-store`, `private`, `must-revalidate` and the like, or credentials.
   * @default none
   */
  keepFor?: Duration
  /** No reply stands in that has been stale for longer, whatever the host, the caller or `keepFor` allow. @default none */
  maxStale?: Duration
  /**
   * `failed`: also where an attempt failed, as RFC 5861 has it. `refused`: only where the circuit lets nothing through, so
   * that the retries of the client go first.
   * @default 'failed'
   */
  when?: 'failed' | 'refused'
  /** Statuses to stand in for besides 500, 502, 503 and 504; from 400 to 599. @default [] */
  on?: readonly number[]
  /**
   * The only statuses of answers to keep.
   * @default those that HTTP lets caches keep; where only `keepFor` permits it, 200, 203, 204, 301 and 308
   */
  statuses?: readonly number[]
  /** Methods whose answers are kept; HEAD is answered from what GET left. Others than these two need a `key`. @default ['GET'] */
  methods?: readonly string[]
  /**
   * What an answer is kept under, on the origin that was asked, in place of its path and query. Nothing: it is left alone.
   * It stands in the store as it is, so it must hold no secret.
   */
  key?: (request: HttpRequest) => string | null | undefined
  /**
   * Whose answer it is, such as the id of a user or a tenant: it is given to nobody else, and with it answers to requests
   * with credentials are kept. Nothing: it is nobody's, and such answers are not kept. The store sees a hash of it. It
   * is asked in the async context of the call.
   */
  partition?: (request: HttpRequest) => string | null | undefined
  /** Request headers that answers vary by though no `Vary` says so; such a header does not count as a credential. @default [] */
  varyBy?: readonly string[]
  /** Requests to leave alone: their answers are neither kept nor given. */
  skip?: (request: HttpRequest) => boolean
  /**
   * Whether the program asks for more than one user. `false`: `private`, `proxy-revalidate` and `s-maxage` are not meant
   * for it, and answers that set a cookie are kept (without the cookie). Credentials need a `partition` all the same.
   * @default true
   */
  shared?: boolean
  /** Directives of the host to do without, though it says that they must be obeyed. @default [] */
  ignore?: readonly Ignorable[]
  /** Bigger bodies are not kept. @default 1_048_576 (1 MiB) */
  maxEntryBytes?: number
  /** `symbol`: no Age and no Cache-Status on a stand-in; only `isFallback` tells it. @default 'headers' */
  mark?: 'headers' | 'symbol'
}

/** @internal What a policy permits. Milliseconds and bytes. */
export interface Permission {
  /** Where hosts say nothing. */
  readonly keepFor: number | undefined
  readonly maxStale: number
  readonly onlyRefused: boolean
  /** The statuses that a stored reply may stand in for. */
  readonly on: ReadonlySet<number>
  readonly statuses: ReadonlySet<number> | undefined
  readonly methods: readonly string[]
  readonly key: StaleIfErrorOptions['key']
  readonly partition: StaleIfErrorOptions['partition']
  readonly skip: StaleIfErrorOptions['skip']
  /** In lower case. */
  readonly varyBy: readonly string[]
  readonly shared: boolean
  /** The directives of answers that it is not bound by. */
  readonly unbound: readonly string[]
  readonly maxEntryBytes: number
  readonly marked: boolean
}

// By RFC 5861, section 4.
const ERRORS = [500, 502, 503, 504] as const
const IGNORABLE: readonly string[] = [
  'must-revalidate',
  'proxy-revalidate',
  's-maxage',
  'no-cache',
] satisfies Ignorable[]
const OF_SHARED_CACHES = ['private', 'proxy-revalidate', 's-maxage'] as const

/**
 * @internal
 * @throws TypeError or RangeError where an option is wrong
 */
export function readOptions(options: StaleIfErrorOptions): Permission {
  const check = new Check('staleIfError')
  check.known(options, Object.keys(OPTIONS))
  for (const name of ['skip', 'key', 'partition'] as const) check.optional(options[name], name, 'function')
  const { keepFor, maxStale, when = 'failed', methods = ['GET'], varyBy = [], ignore = [], shared = true } = options
  check.optional(shared, 'shared', 'boolean')
  const list = <T>(name: keyof StaleIfErrorOptions, value: readonly T[], fits: (item: T) => boolean, what: string) =>
    Array.isArray(value) && value.every(fits) ? value : check.fail(name, `must be a list of ${what}`, value)

  const on = new Set([...ERRORS, ...list('on', options.on ?? [], isError, 'statuses from 400 to 599')])
  const keeps = (status: number): boolean =>
    isLast(status) && !on.has(status) && status <= 599 && status !== 206 && status !== 304
  const kept =
    options.statuses && list('statuses', options.statuses, keeps, 'statuses of whole answers that `on` does not name')
  list('methods', methods, isToken, "methods such as 'GET'")
  list('varyBy', varyBy, isPlainHeader, 'headers that are not always credentials')
  list('ignore', ignore, (name) => IGNORABLE.includes(name), IGNORABLE.join(', '))
  const asked = methods.map((method) => method.toUpperCase())
  if (options.key === undefined && !asked.every((method) => method === 'GET' || method === 'HEAD'))
    check.fail('methods', 'needs a key where it is not GET or HEAD', methods)

  return {
    keepFor: keepFor === undefined ? undefined : check.span(keepFor, 'keepFor'),
    maxStale: maxStale === undefined ? Infinity : check.time(maxStale, 'maxStale'),
    onlyRefused: check.oneOf(when, 'when', ['failed', 'refused']) === 'refused',
    on,
    statuses: kept && new Set(kept),
    methods: asked,
    key: options.key,
    partition: options.partition,
    skip: options.skip,
    varyBy: varyBy.map((name) => name.toLowerCase()),
    shared,
    unbound: [...ignore, ...(shared ? [] : OF_SHARED_CACHES)],
    maxEntryBytes: readBytes(options.maxEntryBytes ?? 1 << 20, 'maxEntryBytes', check),
    marked: check.oneOf(options.mark ?? 'headers', 'mark', ['headers', 'symbol']) === 'headers',
  }
}

/** @internal Whether a status is the host's last word, so that what was kept is not. */
export const isFinal = (status: number, { on }: Permission): boolean => isLast(status) && !on.has(status)

/** @internal Whether an answer of a status is one to keep: the last word, and whole. */
export const isWhole = (status: number, permission: Permission): boolean =>
  isFinal(status, permission) && status !== 206 && status !== 304

const isLast = (status: number): boolean =>
  Number.isInteger(status) && status >= 200 && judgeStatus(status) === 'success'
const isError = (status: number): boolean => Number.isInteger(status) && status >= 400 && status <= 599
const isPlainHeader = (name: string): boolean => isToken(name) && !CREDENTIAL.test(name.toLowerCase())

const OPTIONS: Record<keyof StaleIfErrorOptions, true> = {
  keepFor: true,
  maxStale: true,
  when: true,
  on: true,
  statuses: true,
  methods: true,
  key: true,
  partition: true,
  varyBy: true,
  skip: true,
  shared: true,
  ignore: true,
  maxEntryBytes: true,
  mark: true,
}
