// The callers of the chaos: every client there is, and what each of its callers makes of a call.
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { circuitOpen, isFallback, type Board, type FallbackMark } from '@fuseboard/core'
import { guardGlobalFetch } from '@fuseboard/undici'
import * as undici from 'undici'
import * as undici7 from 'undici-7'
import type { Answer, Client, Driver, Streamed } from '../../packages/conformance/src/driver.ts'
import { axiosFetch, axiosHttp } from '../../packages/conformance/src/drivers/axios.ts'
import { gotPromise, gotStream } from '../../packages/conformance/src/drivers/got.ts'
import { guardedFetch } from '../../packages/conformance/src/drivers/guard-fetch.ts'
import { kyDriver } from '../../packages/conformance/src/drivers/ky.ts'
import { nativeFetch } from '../../packages/conformance/src/drivers/native-fetch.ts'
import { undiciRequest } from '../../packages/conformance/src/drivers/undici-request.ts'
import type { Call } from './calls.ts'
import { isKeepable, isVaried, type Doc } from './host.ts'
import type { End } from './ledger.ts'

/** A client of the chaos. */
export interface Caller {
  readonly name: string
  readonly client: Client
  readonly driver: Driver
  /** It follows redirects by itself, where no board sees it unless one guards the dispatcher below. */
  readonly hidesHops: boolean
  /** For calls that their caller never gives up: one signal for all, as programs have it. */
  readonly forever: AbortSignal
}

const undici8 = undiciRequest('undici 8', undici)

/** The time limit of each client, in milliseconds. */
const TIMEOUT = 400
/** No call may take longer: time limits, what hosts ask to wait for, and retries come to less. */
const LONGEST = 15_000

/** Those that ask again by themselves. The retry of undici 7 never ends where a 103 comes first, guarded or not. */
const RETRYING: ReadonlySet<Driver> = new Set([kyDriver, gotPromise, gotStream, undici8])
const HIDING: ReadonlySet<Driver> = new Set([axiosFetch, kyDriver, guardedFetch])

/** All clients. That of native fetch comes last: who opens another puts a dispatcher of its own in its place. */
const DRIVERS: readonly Driver[] = [
  axiosHttp,
  axiosFetch,
  kyDriver,
  gotPromise,
  gotStream,
  undici8,
  undiciRequest('undici 7', undici7 as unknown as typeof undici),
  guardedFetch,
  nativeFetch,
]

export const openAll = (board: Board): readonly Caller[] =>
  DRIVERS.map((driver) => ({
    name: driver.name,
    driver,
    client: driver.open(board, { timeout: TIMEOUT, redirects: 3, ...(RETRYING.has(driver) && { retries: 1 }) }),
    hidesHops: HIDING.has(driver),
    forever: new AbortController().signal,
  }))

/** Guards the fetch of the process for a while, and then not: the other clients that are fetches have a second layer, or none. */
export class GlobalGuard {
  readonly #board: Board
  #undo: (() => void) | undefined

  constructor(board: Board, { client }: Caller) {
    this.#board = board
    this.#undo = client.uninstall
  }

  /** Unless it is, calls of native fetch are not counted. */
  get on(): boolean {
    return this.#undo !== undefined
  }

  turn(): void {
    if (this.#undo) {
      this.#undo()
      this.#undo = undefined
    } else this.#undo = guardGlobalFetch(this.#board)
  }
}

/** Makes a call, and does with the answer what its caller would. It never rejects. */
export async function make(caller: Caller, call: Call, url: string): Promise<End> {
  const patience = new AbortController()
  const late = sleep(LONGEST, undefined, { signal: patience.signal }).then(
    (): End => ({ what: 'error', detail: 'late', wrong: `has not ended after ${LONGEST} ms` }),
    (): End => ({ what: 'left', detail: '' }),
  )
  const end = await Promise.race([asked(caller, call, url), late])
  patience.abort()
  return end
}

async function asked({ client, driver, forever }: Caller, call: Call, url: string): Promise<End> {
  const { method, givingUp, reading, anyStatus } = call
  const own = new AbortController()
  const timer = givingUp.how === 'after' ? setTimeout(() => own.abort(), givingUp.ms) : undefined
  if (givingUp.how === 'before') own.abort()
  const signals = { never: forever, before: own.signal, after: own.signal }
  const signal = givingUp.how === 'limit' ? AbortSignal.timeout(givingUp.ms) : signals[givingUp.how]
  const options = { method, headers: headersOf(call), signal, anyStatus, ...bodyOf(call) }
  try {
    if (reading.how === 'whole') return endOf(call, await client.call(url, options))
    const streamed = await client.stream(url, options)
    if (reading.how === 'leave') return await leave(streamed, reading.ms)
    return endOf(call, { ...streamed, native: undefined, text: await textOf(streamed.body) })
  } catch (error) {
    const refusal = circuitOpen(error)
    if (refusal) return { what: 'refusal', detail: refusal.reason }
    const status = driver.statusOf?.(error)
    const mark = status === undefined ? undefined : isFallback((error as { response?: unknown }).response)
    if (mark) return { ...standIn(mark), detail: `${status}` }
    return { what: 'error', detail: status === undefined ? kindOf(error) : `status ${status}` }
  } finally {
    clearTimeout(timer)
  }
}

const headersOf = ({ id, user, language }: Call): Record<string, string> => ({
  'x-request-id': id,
  ...(user !== undefined && { authorization: `Bearer ${user}` }),
  ...(language !== undefined && { 'accept-language': language }),
})

function bodyOf({ body }: Call): { body?: string | Readable } {
  if (body === undefined) return {}
  return { body: body === 'text' ? 'a body' : Readable.from([Buffer.from('a '), Buffer.from('body')]) }
}

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString()
}

/** The caller has seen the head and lost interest. */
async function leave({ body }: Streamed, ms: number): Promise<End> {
  body.on('error', () => {})
  await sleep(ms)
  body.destroy()
  return { what: 'left', detail: '' }
}

function endOf(call: Call, answer: Pick<Answer, 'status' | 'headers' | 'text' | 'native'>): End {
  const { status, headers, text, native } = answer
  const mark = isFallback(native) ?? isFallback({ headers })
  const what = mark ? standIn(mark) : { what: 'answer' as const }
  return { ...what, detail: `${status}`, wrong: wrongIn(call, status, text, mark) }
}

const standIn = ({ reason }: FallbackMark): Pick<End, 'what'> => ({
  what: reason === 'refused' ? 'stand-in for a refusal' : 'stand-in for a failure',
})

/** What is wrong with an answer: it is another's, it is broken, or it ought never to have been kept. */
function wrongIn(call: Call, status: number, text: string, mark: FallbackMark | undefined): string | undefined {
  const { doc, user, language, method } = call
  if (mark?.source === 'stored' && !isKeepable(doc)) return `was given document ${doc}, which nobody may keep`
  if (mark?.source === 'stored' && method === 'POST') return 'was given what is kept for another method'
  if (status !== 200 || method === 'HEAD' || mark?.source === 'made') return undefined
  let said: Doc
  try {
    said = JSON.parse(text) as Doc
  } catch {
    // What was packed badly is whole as far as HTTP goes.
    return mark === undefined && call.fault === 'bad-gzip' ? undefined : `was given no document: ${text.slice(0, 40)}`
  }
  if (said.doc !== doc) return `was given document ${said.doc}`
  if (said.user !== null && said.user !== `Bearer ${user}`) return `was given what is for ${said.user}`
  const spoken = language === undefined ? [null, '*'] : [language]
  if (isVaried(doc) && !spoken.includes(said.language)) return `was given what is in ${said.language}`
  return undefined
}

/** What an error is called, by its own code or that of its cause. */
function kindOf(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
  }
  return error instanceof Error ? error.name : String(error)
}
