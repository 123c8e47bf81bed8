// One request from the outbox on its way to its host: signed, sent, and judged by its answer.
import { circuitOpen, isFallback, retryAfter, type Awaitable } from '@fuseboard/core'
import { wordsOf, type Settings } from './options.ts'
import { readUpTo } from './payload.ts'
import type { Claim, Receipt } from './store.ts'
import { revive } from './stored-request.ts'

/** @internal How a delivery went. */
export type Outcome =
  | { readonly kind: 'sent'; readonly receipt: Receipt }
  /** It was not sent, since its host is to be left alone. For how many milliseconds, where that is known. */
  | { readonly kind: 'kept'; readonly wait: number | undefined }
  /** It was not sent, and others may well be: whoever signs could not sign this one. */
  | { readonly kind: 'unsigned'; readonly error: string }
  /** It may have been done or not; with the same key it may be sent again. */
  | { readonly kind: 'failed'; readonly error: string; readonly wait: number | undefined }
  /** The host does not want it, ever; or there is no such request. */
  | { readonly kind: 'unwanted'; readonly error: string; readonly receipt: Receipt | undefined }

/** @internal What a delivery needs. */
export interface Means {
  readonly settings: Settings
  /** A fetch that goes through the circuits. */
  readonly fetch: typeof globalThis.fetch
  /** Whether it may be sent just now: asked when it is signed. */
  readonly mayGo: () => boolean
}

/** @internal Sends a request; within half of its lease, come what may. */
export async function deliver(claim: Claim, means: Means): Promise<Outcome> {
  const { settings } = means
  // It takes whole milliseconds only.
  const signal = AbortSignal.timeout(Math.ceil(settings.lease / 2))
  const first = await attempt(claim, means, signal, false)
  // A token may have run out although who keeps it thinks otherwise. The host did nothing, so nothing is done twice.
  const renew = first.kind === 'unwanted' && first.receipt?.status === 401 && settings.prepare !== undefined
  return renew ? attempt(claim, means, signal, true) : first
}

async function attempt(claim: Claim, means: Means, signal: AbortSignal, renew: boolean): Promise<Outcome> {
  let request: Request
  try {
    request = revive(claim.request)
  } catch (error) {
    return { kind: 'unwanted', error: `It cannot be made again: ${wordsOf(error)}`, receipt: undefined }
  }
  try {
    request = await before(signal, signed(request, claim, means.settings, renew))
  } catch (error) {
    const refusal = circuitOpen(error)
    if (refusal !== undefined) return { kind: 'kept', wait: refusal.retryAfterMs }
    return { kind: 'unsigned', error: `It could not be signed: ${wordsOf(error)}` }
  }
  if (!means.mayGo()) return { kind: 'kept', wait: undefined }
  try {
    const response = await before(signal, means.fetch(request, { signal, redirect: 'manual' }))
    return await judge(response, signal, means.settings)
  } catch (error) {
    const refusal = circuitOpen(error)
    if (refusal !== undefined) return { kind: 'kept', wait: refusal.retryAfterMs }
    return { kind: 'failed', error: wordsOf(error), wait: undefined }
  }
}

async function signed(plain: Request, claim: Claim, { prepare }: Settings, renew: boolean): Promise<Request> {
  const request = (await prepare?.(plain, { renew })) ?? plain
  // Without its key it would be another request.
  request.headers.set(claim.idempotencyHeader, claim.idempotencyKey)
  return request
}

async function judge(response: Response, signal: AbortSignal, settings: Settings): Promise<Outcome> {
  const mark = isFallback(response)
  if (mark !== undefined) {
    void response.body?.cancel()
    if (mark.reason === 'refused') return { kind: 'kept', wait: undefined }
    const { masked } = mark
    const error = masked && 'status' in masked ? `The host answered ${masked.status}` : wordsOf(masked?.error)
    return { kind: 'failed', error, wait: undefined }
  }
  const { status, headers } = response
  const receipt = {
    status,
    headers: [...headers].filter(([name]) => name !== 'set-cookie'),
    body: await textOf(response, signal),
  }
  if (status >= 200 && status < 300) return { kind: 'sent', receipt }
  const error = `The host answered ${status}`
  if (!AGAIN.has(status) && status < 500) return { kind: 'unwanted', error, receipt }
  return { kind: 'failed', error, wait: retryAfter(headers, settings.wall()) }
}

/** Time-out, conflict (with the same request, still at work), too early, too many. */
const AGAIN: ReadonlySet<number> = new Set([408, 409, 425, 429])

const MOST_OF_BODY = 64 << 10

/** The head has said how it went: a body that breaks changes nothing. */
async function textOf(response: Response, signal: AbortSignal): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  const read = readUpTo(response.body, MOST_OF_BODY, (chunk) => (text += decoder.decode(chunk, { stream: true })))
  await before(signal, read).catch(() => {})
  return text
}

/** @throws the reason of the signal where that comes first */
function before<T>(signal: AbortSignal, value: Awaitable<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp, { once: true })
    Promise.resolve(value)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', giveUp))
  })
}
