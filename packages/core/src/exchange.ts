// Takes one attempt from admission to answer, for every client that is a promise.
import { markFallback } from './is-fallback.ts'
import type { Attempt } from './attempt.ts'
import { common } from './common.ts'
import type { Cause } from './outcome.ts'
import type { AnswerHead, Reply } from './reply.ts'
import { stamp } from './stamp.ts'
import { unpacked } from './unpacked.ts'
import { watcherOf } from './watched-response.ts'

/** What an adapter knows about its client: how to send, and how to read, watch and rebuild a response. */
export interface Client<Response extends object> {
  /** Sends the request, with header fields that fallbacks want on the wire. */
  send(headers: Attempt['headers']): Promise<Response>
  /** The head of a response; its headers are read only where needed. */
  head(response: Response): AnswerHead
  /** The answer in what the client threw, where it throws answers too: it is judged and watched as any other, and thrown again. */
  answerIn?(error: unknown): Response | undefined
  /** Reads what the client threw. By default, the error speaks for itself. */
  thrown?(error: unknown): { readonly error: unknown; readonly cause?: Cause | undefined }
  /** Gives back the response with its body watched: chunks where `captured`, then its end, its break, or its abandonment. */
  watch?(response: Response, attempt: Attempt, captured: boolean): Response
  /** A reply stands in for this response: its socket must come back. */
  drain(response: Response): void
  /**
   * Makes a reply, whose body is unpacked, the client's own response; undefined for one that cannot be. Left out where none can,
   * and then nothing stands in.
   */
  thaw?: ((reply: Reply) => Response | undefined) | undefined
  /** What the caller gets for a response that was made: by default that. Where the client throws answers, this may throw it. */
  handOver?(made: Response): Response | Promise<Response>
  /** What the caller is thrown where there is no answer: by default the error itself, a refusal among others. */
  raise?(error: unknown): unknown
  /** Ends the wait for a fallback where the caller gives up. */
  readonly signal?: AbortSignal | null | undefined
  /** The attempt that went on where a redirect ended the one before: each hop is one of its own. */
  readonly hop?: Attempt | undefined
}

/** The attempt of each response, for {@link fail}. */
const attempts = common('exchange.attempts', stamp<Attempt>)

/** Takes one attempt from admission to answer. It adds one turn of the event loop to that of the client. */
export function exchange<Response extends object>(first: Attempt, client: Client<Response>): Promise<Response> {
  if (first.refused) return recover(first, client, first.refusal)
  try {
    return client.send(first.headers).then(
      (response) => answered(client.hop ?? first, client, response),
      (error: unknown) => failed(client.hop ?? first, client, error),
    )
  } catch (error) {
    return new Promise((resolve) => resolve(failed(first, client, error)))
  }
}

function answered<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
  response: Response,
): Response | Promise<Response> {
  const head = settle(attempt, client, response)
  if (head === undefined) return response
  const asked = wait(attempt, client)
  return asked === undefined ? pass(attempt, client, response, head) : replace(attempt, client, response, head, asked)
}

function failed<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
  error: unknown,
): Response | Promise<Response> {
  const answer = client.answerIn?.(error)
  if (answer !== undefined) return answeredByThrowing(attempt, client, answer, error)
  attempt.settle(client.thrown?.(error) ?? { error })
  return recover(attempt, client, error)
}

/** The client throws the answer again, unless a reply takes its place. */
async function answeredByThrowing<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
  answer: Response,
  error: unknown,
): Promise<Response> {
  const head = settle(attempt, client, answer)
  const made = head && (await replaced(client, answer, wait(attempt, client)))
  if (made) return made
  if (head) pass(attempt, client, answer, head)
  throw error
}

/** The answer goes to the caller. */
function pass<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
  response: Response,
  head: AnswerHead,
): Response {
  const captured = attempt.capture(head)
  const watched = client.watch?.(response, attempt, captured) ?? response
  if (watcherOf(watched) !== attempt) attempts.put(watched, attempt)
  return watched
}

// By itself, since a function with a closure costs more at each call.
async function replace<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
  response: Response,
  head: AnswerHead,
  asked: Promise<Reply | undefined>,
): Promise<Response> {
  return (await replaced(client, response, asked)) ?? pass(attempt, client, response, head)
}

/** What takes the place of an answer, whose socket then comes back; undefined where nothing does. */
async function replaced<Response extends object>(
  client: Client<Response>,
  response: Response,
  asked: Promise<Reply | undefined> | undefined,
): Promise<Response | undefined> {
  const made = make(client, await asked)
  if (made === undefined) return undefined
  client.drain(response)
  return client.handOver?.(made) ?? made
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
  const attempt = attempts.of(response) ?? watcherOf(response)
  attempt?.amend({ error: reason, cause: 'unknown' })
}

async function recover<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
  error: unknown,
): Promise<Response> {
  const made = make(client, await wait(attempt, client))
  if (made) return client.handOver?.(made) ?? made
  throw client.raise === undefined ? error : await client.raise(error)
}

function make<Response extends object>(client: Client<Response>, given: Reply | undefined): Response | undefined {
  const reply = unpacked(given)
  const made = reply && client.thaw?.(reply)
  if (reply && made) markFallback(made, reply.mark)
  return made
}

// A fallback may take long: a caller who gives up meanwhile must not be kept.
function wait<Response extends object>(
  attempt: Attempt,
  client: Client<Response>,
): Promise<Reply | undefined> | undefined {
  if (!attempt.replaceable) return undefined
  const { signal, thaw } = client
  const standIn = thaw && attempt.standIn()
  if (standIn === undefined || !signal || signal.aborted) return standIn
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', giveUp, { once: true })
    standIn.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}
