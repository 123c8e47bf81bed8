// The redirects of one call. On the http adapter each hop is an attempt of its own, on its own host; fetch follows by
// itself, and only tells that it did.
import type { Attempt, Board } from '@fuseboard/core'
import type { InternalAxiosRequestConfig } from 'axios'
import { basic, pairsOf } from './request.ts'

type Config = InternalAxiosRequestConfig
type Fetch = typeof globalThis.fetch
type BeforeRedirect = NonNullable<Config['beforeRedirect']>

// No symbol: older releases of axios copy options by name.
const ANSWERED = 'fuseboard.answered'

/** @internal */
export class Hops {
  /** That of the hop which is on its way. */
  attempt: Attempt
  /** Whether fetch went by a redirect to the answer, where it told. */
  redirected: boolean | undefined = undefined
  readonly board: Board
  /** The caller's own. */
  readonly given: BeforeRedirect | undefined
  readonly #config: Config

  constructor(board: Board, attempt: Attempt, config: Config, given: BeforeRedirect | undefined) {
    this.board = board
    this.attempt = attempt
    this.#config = config
    this.given = given
  }

  /** What the adapter is told, whichever it is: to ask here before it follows, and to go through a fetch that tells. */
  get options(): Pick<Config, 'env' | 'fetchOptions'> {
    const { env, fetchOptions } = this.#config
    const answered = (response: Response): void => void (this.redirected = response.redirected)
    const handed: object | undefined = this.board.handDown(fetchOptions, this.attempt)
    return {
      env: { ...env, fetch: telling(env?.fetch) },
      fetchOptions: { ...handed, [ANSWERED]: answered } as object,
    }
  }

  next: BeforeRedirect = (next, response, request) => {
    this.attempt.settle({ status: response.statusCode, headers: pairsOf(response.headers) })
    this.given?.(next, response, request)
    const { method, href, headers, auth } = next as { method: string; href: string; headers: object; auth?: string }
    const pairs = pairsOf(headers)
    const attempt = this.board.attempt({ method, url: href, headers: auth ? [...pairs, basic(auth)] : pairs })
    this.attempt = attempt
    if (attempt.refusal) throw attempt.refusal
    Object.assign(headers, Object.fromEntries(attempt.headers))
  }
}

const tellers = new WeakMap<object, Fetch>()

/** A fetch that tells of its answers. One for each fetch, since axios keeps for ever what it makes for one. */
function telling(fetch: Fetch | undefined): Fetch {
  const key = fetch ?? tellers
  const known = tellers.get(key)
  if (known) return known
  const teller: Fetch = async (input, init) => {
    const response = await (fetch ?? globalThis.fetch)(input, init)
    const { [ANSWERED]: answered } = (init ?? {}) as { [ANSWERED]?: (response: Response) => void }
    answered?.(response)
    return response
  }
  tellers.set(key, teller)
  return teller
}
