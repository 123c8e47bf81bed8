// Takes one attempt from admission to answer, for every client that is a promise.
import { markFallback } from './is-fallback.ts'
import type { Attempt } from './attempt.ts'
import type { Cause } from './outcome.ts'
import type { AnswerHead, Reply } from './reply.ts'

/** What an adapter knows about its client: how to send, and how to read, watch and rebuild a response. */
export interface Client<Response extends object> {
  /** Sends the request, with header fields that fallbacks want on the wire. */
  send(headers: Attempt['headers']): Promise<Response>
  /** The head of a response; its headers are read only where needed. */
  head(response: Response): AnswerHead
  /** Reads what the client threw. By default, the error speaks for itself. */
  thrown?(error: unknown): { readonly error: unknown; readonly cause?: Cause | undefined }
  /** Gives back the response with its body watched: chunks where `captured`, then its end, its break, or its abandonment. */
  watch?(response: Response, attempt: Attempt, captured: boolean): Response
  /** A reply stands in for this response: its socket must come back. */
  drain(response: Response): void
  /** Makes a reply the client's own response. */
  thaw(reply: Reply): Response
  /** Ends the wait for a fallback where the caller gives up. */
  readonly signal?: AbortSignal | null | undefined
}

const attempts = new WeakMap<object, Attempt>()

/** Takes one attempt from admission to answer. */
export async function exchange<Response extends object>(attempt: Attempt, client: Client<Response>): Promise<Response> {
  if (attempt.refusal) return recover(attempt, client, attempt.refusal)

  let response: Response
  try {
    response = await client.send(attempt.headers)
  } catch (error) {
    attempt.settle(client.thrown?.(error) ?? { error })
    return recover(attempt, client, error)
  }

  const head = settle(attempt, client, response)
  if (head === undefined) return response
  const reply = await wait(attempt, client)
  if (reply) {
    client.drain(response)
    return dress(client.thaw(reply), reply)
  }
  const captured = attempt.capture(head)
  const watched = client.watch?.(response, attempt, captured) ?? response
  attempts.set(watched, attempt)
  return watched
}

/** What cannot be read as an answer, such as a mock's, says nothing and goes to the caller as it is. */
function settle<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
  response: Response,
): AnswerHead | undefined {
  try {
    const head = client.head(response)
    attempt.settle(head)
    return head
  } catch {
    attempt.release()
    return undefined
  }
}

/**
 * Says that an answer was none after all, such as an error inside a 200: it counts as a failure instead of a success.
 * It does nothing for a response that no guarded client gave.
 */
export function fail(response: object, reason: unknown = new Error('The caller says that the answer was none')): void {
  attempts.get(response)?.amend({ error: reason, cause: 'unknown' })
}

async function recover<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
  error: unknown,
): Promise<Response> {
  const reply = await wait(attempt, client)
  if (reply) return dress(client.thaw(reply), reply)
  throw error
}

function dress<Response extends object>(response: Response, reply: Reply): Response {
  markFallback(response, reply.mark)
  return response
}

// A fallback may take long: a caller who gives up meanwhile must not be kept.
function wait<Response extends object>(
  attempt: Attempt,
  { signal }: Client<Response>,
): Promise<Reply | undefined> | undefined {
  const standIn = attempt.standIn()
  if (standIn === undefined || !signal || signal.aborted) return standIn
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', giveUp, { once: true })
    standIn.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
