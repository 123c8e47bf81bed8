// One request on its way: what the wire says of it is heard before got hears it, and kept back while a stand-in is asked for.
import type { ClientRequest } from 'node:http'
import type { Attempt, Reply } from '@fuseboard/core'
import { Course, type Given } from './course.ts'
import { drain } from './drain.ts'
import { Hold } from './hold.ts'
import { toMessage } from './message.ts'
import { overhear, type Emit, type Pass } from './overhear.ts'
import { isAnswer, type Answer, type Sent } from './transport.ts'

const HEARD: ReadonlySet<string | symbol> = new Set(['response', 'error', 'close', 'upgrade', 'connect'])

/** @internal */
export class Wire {
  readonly #course: Course
  readonly #hold = new Hold()
  readonly #method: string
  #masked = false

  constructor(attempt: Attempt, method: string, options: Given) {
    this.#course = new Course(attempt, options, this.#hold)
    this.#method = method
  }

  /** Follows what the transport sent. */
  follow(sent: Sent): Sent | Promise<Answer> {
    return isAnswer(sent) ? this.#answer(sent) : this.#request(sent)
  }

  promised(sent: Promise<Sent>): Promise<Sent> {
    return sent.then(
      (sent) => this.follow(sent),
      (error: unknown) => this.#nothing(error),
    )
  }

  #request(request: ClientRequest): ClientRequest {
    const emit = overhear(request, HEARD, (event, given, pass) => this.#hear(event, given, pass, emit))
    const destroy = request.destroy.bind(request)
    request.destroy = (error?: Error) => {
      // Here and now: over HTTP/2 the request closes before it tells of its error.
      if (error) this.#course.fail(error)
      else if (!request.destroyed) this.#course.hangUp()
      if (this.#hold.active) this.#stopWaiting()
      // got is done with the stand-in, and what that masks is still being drained.
      return this.#masked && request.writableFinished ? request : destroy(error)
    }
    return request
  }

  #hear(event: string | symbol, given: unknown, pass: Pass, emit: Emit): boolean {
    const course = this.#course
    if (event === 'close') course.close()
    if (event === 'error') course.fail(given)
    if (event === 'upgrade' || event === 'connect') {
      course.upgrade(given as Answer)
      return pass()
    }
    if (this.#masked) return true
    const answered = event === 'response'
    const asked = answered ? course.begin(given as Answer) : course.ask()
    const own = answered ? (): boolean => this.#hand(pass) : pass
    if (!asked) return this.#hold.pass(own)
    return this.#hold.until(asked, own, (reply) => emit('response', this.#mask(reply)))
  }

  /** An answer that the transport gave as it is. */
  async #answer(answer: Answer): Promise<Answer> {
    const asked = this.#course.begin(answer)
    // It may break before got listens.
    if (asked) answer.on('error', () => {})
    const reply = await asked
    if (reply) return this.#mask(reply)
    if (answer.errored) throw answer.errored
    this.#course.capture()
    return answer
  }

  /** The transport gave up before there was a request to follow. */
  async #nothing(error: unknown): Promise<Answer> {
    this.#course.fail(error)
    const reply = await this.#course.ask()
    if (reply) return this.#mask(reply)
    throw error
  }

  #hand(pass: Pass): boolean {
    if (this.#course.hungUp) return true
    this.#course.capture()
    return pass()
  }

  #stopWaiting(): void {
    this.#course.hungUp = true
    this.#hold.end()
  }

  #mask(reply: Reply): Answer {
    this.#masked = true
    if (this.#course.answer) drain(this.#course.answer)
    return toMessage(reply, this.#method)
  }
}
