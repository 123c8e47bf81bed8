// Circuits over HTTP for who operates the program: to look at, and for whom it is allowed, to hold, open and close.
import { inWords } from './ask.ts'
import type { Board } from './board.ts'
import { Check } from './check.ts'
import type { Circuit } from './circuit.ts'
import type { Duration } from './duration.ts'
import type { Hold } from './holds.ts'

/** What one may want to do. */
export type AdminAction = 'look' | 'trip' | 'isolate' | 'bypass' | 'release' | 'reset'

/** Where a handler is mounted, and who may do what there. */
export interface AdminOptions {
  /** The path that it is mounted at. @default '/' */
  basePath?: string
  /**
   * The host names by which it may be asked, without port. Others are refused: a page of another site may point a name of its own
   * at this machine (DNS rebinding). @default ['localhost', '127.0.0.1', '[::1]']
   */
  hosts?: readonly string[]
  /** Who may do what. @default everybody may look, and nobody may do anything else */
  authorize?: (request: Request, action: AdminAction) => boolean | PromiseLike<boolean>
}

/** An answer that is no good one. */
class Refusal extends Error {
  readonly status: number
  readonly headers: Record<string, string>

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}

/** What a page of another site cannot send without asking first (the fetch standard, "CORS-preflight fetch"). */
const OWN_FIELD = 'x-fuseboard'

const ACTIONS: readonly AdminAction[] = ['trip', 'isolate', 'bypass', 'release', 'reset']

/**
 * A handler of web requests: `GET /` lists the circuits, `GET /circuits/<key>` explains one, and
 * `POST /circuits/<key>/<action>` with a header `x-fuseboard` does one of `trip` (`?for=5m`), `isolate` and `bypass` (`?reason=...`),
 * `release` (what this handler holds) and `reset`. Answers are JSON.
 *
 * @example
 * const admin = adminHandler(board, { basePath: '/fuseboard', authorize: (request) => isOperator(request) })
 * @throws TypeError where an option is wrong; the handler itself never rejects
 */
export function adminHandler(board: Board, options: AdminOptions = {}): (request: Request) => Promise<Response> {
  const admin = new Admin(board, options)
  return (request) => admin.answer(request)
}

class Admin {
  readonly #board: Board
  readonly #base: string
  readonly #hosts: ReadonlySet<string>
  readonly #authorize: AdminOptions['authorize']
  readonly #holds = new Map<string, Hold[]>()

  constructor(board: Board, options: AdminOptions) {
    const check = new Check('admin')
    check.known(options, ['basePath', 'hosts', 'authorize'])
    const { basePath = '/', hosts = ['localhost', '127.0.0.1', '[::1]'], authorize } = options
    if (typeof basePath !== 'string' || !basePath.startsWith('/'))
      check.fail('basePath', 'must be a path that begins with /', basePath, TypeError)
    if (!Array.isArray(hosts) || !hosts.every((host) => typeof host === 'string'))
      check.fail('hosts', 'must be a list of host names', hosts, TypeError)
    check.optional(authorize, 'authorize', 'function')
    if (typeof (board as Partial<Board> | undefined)?.circuits !== 'function')
      check.fail('board', 'must be a board', board, TypeError)
    this.#board = board
    this.#base = basePath.replace(/\/+$/, '')
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()))
    this.#authorize = authorize
  }

  async answer(request: Request): Promise<Response> {
    try {
      return json(200, await this.#answer(request))
    } catch (error) {
      if (error instanceof Refusal) return json(error.status, { error: error.message }, error.headers)
      return json(500, { error: 'The request could not be answered' })
    }
  }

  async #answer(request: Request): Promise<unknown> {
    const url = new URL(request.url)
    this.#checkSource(request, url)
    const path = url.pathname.startsWith(`${this.#base}/`) || url.pathname === this.#base
    const parts = path ? url.pathname.slice(this.#base.length).split('/').filter(Boolean) : ['nothing']
    const [collection, key, action, more] = parts
    if (parts.length > 0 && (collection !== 'circuits' || key === undefined || more !== undefined))
      throw new Refusal(404, 'There is GET /, GET /circuits/<key> and POST /circuits/<key>/<action>')
    if (key === undefined) return this.#list(request)
    const circuit = this.#board.peek(decoded(key))
    if (action === undefined) {
      await this.#allow(request, 'look', ['GET', 'HEAD'])
      return shown(found(circuit), true)
    }
    if (!ACTIONS.includes(action as AdminAction)) throw new Refusal(404, `There is ${ACTIONS.join(', ')}`)
    await this.#allow(request, action as AdminAction, ['POST'])
    this.#act(found(circuit), action as AdminAction, url.searchParams)
    return shown(found(circuit), true)
  }

  async #list(request: Request): Promise<unknown> {
    await this.#allow(request, 'look', ['GET', 'HEAD'])
    return {
      circuits: [...this.#board.circuits()].map((circuit) => shown(circuit, false)),
      shadow: this.#board.shadowReport(),
    }
  }

  // Browsers say where a request comes from; what says nothing is no browser.
  #checkSource({ headers }: Request, url: URL): void {
    const asked = headers.get('host')
    const names = [url.hostname, ...(asked === null ? [] : [nameOf(asked)])]
    if (!names.every((name) => name !== undefined && this.#hosts.has(name)))
      throw new Refusal(403, 'This host name is not among its own')
    const site = headers.get('sec-fetch-site')
    const origin = headers.get('origin')
    const foreign =
      (site !== null && site !== 'same-origin' && site !== 'none') || (origin !== null && origin !== url.origin)
    if (foreign) throw new Refusal(403, 'Pages of other sites may not ask')
  }

  async #allow(request: Request, action: AdminAction, methods: readonly string[]): Promise<void> {
    if (!methods.includes(request.method))
      throw new Refusal(405, `${methods.join(' or ')} is wanted`, { allow: methods.join(', ') })
    const may = this.#authorize === undefined ? action === 'look' : await this.#isAllowed(request, action)
    if (!may) throw new Refusal(403, 'This is not allowed')
    if (action !== 'look' && !request.headers.has(OWN_FIELD)) throw new Refusal(403, `A header ${OWN_FIELD} is wanted`)
  }

  async #isAllowed(request: Request, action: AdminAction): Promise<boolean> {
    try {
      return (await this.#authorize?.(request, action)) === true
    } catch (error) {
      this.#board.warn('admin', `authorize failed, and nothing was allowed: ${inWords(error)}`)
      return false
    }
  }

  #act(circuit: Circuit, action: AdminAction, asked: URLSearchParams): void {
    const reason = asked.get('reason') ?? undefined
    const holds = this.#holds.get(circuit.key) ?? []
    switch (action) {
      case 'isolate':
      case 'bypass':
        this.#holds.set(circuit.key, [...holds, circuit[action](reason)])
        return
      case 'release':
        for (const hold of holds) hold.release()
        this.#holds.delete(circuit.key)
        return
      case 'reset':
        this.#holds.delete(circuit.key)
        return circuit.reset()
      case 'trip':
        return trip(circuit, asked.get('for'))
      case 'look':
    }
  }
}

const nameOf = (host: string): string | undefined =>
  URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : undefined

function trip(circuit: Circuit, duration: string | null): void {
  try {
    circuit.trip((duration ?? undefined) as Duration | undefined)
  } catch (error) {
    throw new Refusal(400, (error as Error).message)
  }
}

function found(circuit: Circuit | undefined): Circuit {
  if (circuit === undefined) throw new Refusal(404, 'There is no such circuit')
  return circuit
}

function decoded(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    throw new Refusal(404, 'There is no such circuit')
  }
}

function shown(circuit: Circuit, whole: boolean): object {
  const { key, label, state, counters, window } = circuit
  return { key, label, state, counters, window, ...(whole && { explanation: circuit.explain() }) }
}

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  Response.json(body, {
    status,
    headers: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff', ...headers },
  })
