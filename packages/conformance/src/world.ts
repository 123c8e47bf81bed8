// What a case runs in: a host of its own, a board on a clock that stands still, a guarded client, and the log of what was recorded.
import {
  circuitOpen,
  createBoard,
  type Board,
  type Circuit,
  type CircuitOpenError,
  type Verdict,
} from '@fuseboard/core'
import { manualClock, type ManualClock } from '@fuseboard/core/testing'
import { expect, vi } from 'vitest'
import type { CasePolicy } from './cases/case.ts'
import type { Client, Driver, Fields, Settings } from './driver.ts'
import { faultServer, type FaultServer } from './fault-server.ts'

export interface World {
  readonly driver: Driver
  readonly client: Client
  readonly server: FaultServer
  readonly board: Board
  readonly clock: ManualClock
  readonly log: Log
  /** The URL of a path at the host. */
  readonly at: (path: string) => string
  /** The circuit of an origin; without one, of the host. */
  readonly circuit: (origin?: string) => Circuit
  /** The status that a call came to, whether the client answered with it or threw it. */
  readonly status: (path: string, options?: Parameters<Client['call']>[1]) => Promise<number | undefined>
  /** Asserts what counted, in order: for one origin, or in all. What was ignored may be on record or not. */
  readonly recorded: (verdicts: readonly Verdict[], origin?: string) => Promise<void>
  readonly close: () => Promise<void>
}

export async function openWorld(driver: Driver, given: CasePolicy, settings: Settings = {}): Promise<World> {
  const { fleet, ...policy } = given
  const server = await faultServer()
  const clock = manualClock()
  // Named, since a guard on the whole process leaves loopback out otherwise.
  const board = createBoard({
    ...policy,
    ...(fleet && { fleet: fleet(clock) }),
    hosts: { '127.0.0.1': {}, localhost: {}, '[::1]': {}, 'nope.invalid': {} },
    clock,
  })
  const log = new Log(board)
  const client = retrying(driver, driver.open(board, settings), settings)
  const at = (path: string): string => server.origin + path
  return {
    driver,
    client,
    server,
    board,
    clock,
    log,
    at,
    circuit: (origin = server.origin) => board.circuit(keyOf(origin)),
    status: (path, options) =>
      client.call(at(path), options).then(
        ({ status }) => status,
        (error) => driver.statusOf?.(error) ?? Promise.reject(error),
      ),
    recorded: (verdicts, origin) =>
      vi.waitFor(() => expect(log.counted(origin && keyOf(origin))).toEqual(verdicts), { timeout: 2_000, interval: 5 }),
    close: async () => {
      await client.close()
      await server.stop()
    },
  }
}

/** What a board said. */
class Log {
  /** The reasons of the refusals, in order. */
  readonly refusals: string[] = []
  readonly warnings: string[] = []
  readonly #records: { key: string; verdict: Verdict }[] = []

  constructor(board: Board) {
    board.on('refused', ({ reason }) => this.refusals.push(reason))
    board.on('warning', ({ message }) => this.warnings.push(message))
    board.on('settled', ({ key, verdict, amended }) => {
      const head = amended && this.#records.findLast((record) => record.key === key && record.verdict === 'success')
      if (head) head.verdict = verdict
      else this.#records.push({ key, verdict })
    })
  }

  /** One verdict for each attempt, amended where its body broke. */
  verdicts(key?: string): Verdict[] {
    return this.#records.filter((record) => key === undefined || record.key === key).map(({ verdict }) => verdict)
  }

  /** The verdicts that say something of the host. */
  counted(key?: string): Verdict[] {
    return this.verdicts(key).filter((verdict) => verdict !== 'ignored')
  }
}

/** The error of a promise that must fail. */
export async function caught(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('This was to fail, and did not')
}

/** The refusal of a call that must be refused. */
export async function refused(promise: Promise<unknown>): Promise<CircuitOpenError> {
  const error = await caught(promise)
  const refusal = circuitOpen(error)
  if (refusal === undefined) throw error
  return refusal
}

/** The codes of an error and of what caused it. */
export function codesOf(error: unknown): unknown[] {
  const codes: unknown[] = []
  for (let at = error; at instanceof Error; at = at.cause) if ('code' in at) codes.push(at.code)
  return codes
}

/** The values of a header field, one for each time it was sent, where the client keeps them apart. */
export function valuesOf(headers: Fields, name: string): string[] {
  if (!(headers instanceof Headers)) return [headers[name] ?? []].flat()
  return name === 'set-cookie' ? headers.getSetCookie() : [headers.get(name) ?? []].flat()
}

/** A part of a client that a case needs. Where the client has none by nature, that is a gap to be listed. */
export function need<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw new Error(`The driver has no ${what}, and no gap says why`)
  return part
}

/** Calls again what failed, as someone who knows of circuits would: a refusal is final. */
export async function insisting<T extends { status: number }>(call: () => Promise<T>, times: number): Promise<T> {
  for (let left = times; ; left--) {
    try {
      const answer = await call()
      if (answer.status < 500 || left === 0) return answer
    } catch (error) {
      if (left === 0 || circuitOpen(error)) throw error
    }
  }
}

function retrying(driver: Driver, client: Client, { retries }: Settings): Client {
  if (driver.retries || retries === undefined) return client
  const times = retries === 'default' ? 3 : retries
  return { ...client, call: (url, options) => insisting(() => client.call(url, options), times) }
}

const keyOf = (origin: string): string => new URL(origin).host
