// What a behaviour asks of a circuit breaker, and what an adapter may answer that its library has not.

/** What a behaviour wants of a circuit. Each adapter turns it into the options of its library that come nearest. */
export interface Policy {
  /** Opens when this share of the calls failed. @default 0.5 */
  readonly rate?: number
  /** ...of at least so many. @default 4 */
  readonly minimum?: number
  /** ...within so many milliseconds. Where it is not given, a window of calls will do. @default 10_000 */
  readonly window?: number
  /** Opens after so many failures in a row too, however far apart. */
  readonly streak?: number
  /** Milliseconds that it stays open; `to` lets it grow with each trip in a row. @default 5_000 */
  readonly openFor?: number | { readonly from: number; readonly to: number; readonly spread: boolean }
  /** Half-open: so many calls may probe at once. @default 1 */
  readonly probes?: number
  /** ...and so many of them must succeed. @default all */
  readonly need?: number
  /** A call that takes longer, in milliseconds, says that the host is not well. It is not ended for that. */
  readonly slowAfter?: number
  /** A call is ended after so many milliseconds. @default never */
  readonly timeLimit?: number
  /** Which errors count as failures. @default all */
  readonly counts?: (error: unknown) => boolean
  /** Which of them are answers, and show that the host is well: a library that knows successes and failures only takes both for the same. */
  readonly answers?: (error: unknown) => boolean
  /** It opens for nothing in its first window. */
  readonly warmUp?: boolean
  /** Callers may leave as late as they like without a word on the host. */
  readonly patient?: boolean
  /** At most so many calls at once. */
  readonly atOnce?: number
  /** ...and so many more wait for their turn. */
  readonly waiting?: number
  /** At most so many calls a second. */
  readonly perSecond?: number
  /** A call that failed is made again up to so many times. */
  readonly retries?: number
  /** What a call gives that failed or was refused. */
  readonly instead?: unknown
  /** A result is given to later calls for so many milliseconds. */
  readonly keepResultFor?: number
  /** Calls under way at the same time share one result. */
  readonly shareResult?: boolean
  /** Computes, and refuses nothing. */
  readonly shadow?: boolean
}

/** A function to call; the signal is aborted where the library ends the call. */
export type Task = (signal?: AbortSignal) => unknown

/** A circuit, as a program uses it. What the library has not throws {@link Lacks}. */
export interface Breaker {
  call(task: Task, signal?: AbortSignal): Promise<unknown>
  /** Listens: to each call that went well, or to each time that the circuit opens. */
  on(event: 'succeeded' | 'opened', listener: () => unknown): void
  /** Refuses all calls until what it gives is called. */
  hold(): () => void
  /** Changes the threshold while it runs. */
  setRate(rate: number): void
  /** Its state as JSON, for `entrant.breaker(policy, saved)`. */
  save(): string
  /** How many milliseconds a refusal says to wait. */
  retryAfter(error: unknown): number | undefined
  /** Milliseconds that all but one in a hundred calls took at most. */
  slowest(): number
  /** Has the library ask the host by itself. */
  watch(check: () => Promise<unknown>): void
  /** A fetch that goes through it, and gives the caller the response as its body begins. */
  fetch(url: string, init?: RequestInit): Promise<Response>
}

/** A library that takes part. */
export interface Entrant {
  readonly name: string
  /** A circuit; from a state that {@link Breaker.save} gave, where there is one. */
  breaker(policy?: Policy, saved?: unknown): Breaker
  /** Several circuits of one host in several processes, which tell each other. */
  fleet(policy: Policy, members: number): readonly Breaker[]
}

/** The library has nothing of the kind: a no, with the reason. */
export class Lacks extends Error {}

/** It is not what the library is for: the question does not arise. */
export class NotItsTrade extends Error {}

/** A function for what a library has nothing of. */
export const lacking = (why: string) => (): never => {
  throw new Lacks(why)
}

/** Turns down a policy that asks for what a library has nothing of. */
export function turnDown(policy: Policy, lacks: Partial<Record<keyof Policy, string>>): void {
  for (const [name, why] of Object.entries(lacks)) {
    if (policy[name as keyof Policy] !== undefined) throw new Lacks(why)
  }
}

/** What an error says of itself, where its library does not document what it says. */
export function retryAfterIn(error: unknown): number | undefined {
  const { retryAfter, retryAfterMs } = error as { retryAfter?: number; retryAfterMs?: number }
  return retryAfter ?? retryAfterMs
}

/** Which errors count, for a library in which there is nothing between a success and a failure. */
export function filterOf({ counts, answers }: Policy): ((error: unknown) => boolean) | undefined {
  return counts ?? (answers && ((error) => !answers(error)))
}

/** The parts of a policy that every circuit has. */
export function termsOf({ rate = 0.5, minimum = 4, window = 10_000, openFor = 5_000, probes = 1, need }: Policy) {
  const grows = typeof openFor !== 'number'
  return { rate, minimum, window, probes, need: need ?? probes, openFor: grows ? openFor.from : openFor }
}

/** An answer that says that the host is not well, as programs throw it where a library knows of errors only. */
class BadAnswer extends Error {
  constructor({ status }: Response) {
    super(`HTTP ${status}`)
  }
}

/** A fetch for a library that guards functions: it throws what should count. */
export async function fetchOrThrow(url: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (response.status < 500) return response
  await response.body?.cancel()
  throw new BadAnswer(response)
}
