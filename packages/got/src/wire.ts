// One request on its way: what the wire says of it is heard before got hears it, and kept back while a stand-in is asked for.
import type { ClientRequest } from 'node:http'
import type { Attempt, Reply } from '@fuseboard/core'
import { Course, type Given } from './course.ts'
import { drain } from './drain.ts'
import { Hold } from './hold.ts'
import { toMessage } from './message.ts'
import { overhear, type Pass } from './overhear.ts'
import type { Answer } from './transport.ts'

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

  /** Follows a request that is under way. */
  request(request: ClientRequest): ClientRequest {
    const course = this.#course
    const hold = this.#hold
    const replace = (reply: Reply): unknown => emit('response', this.#mask(reply))
    const emit = overhear(request, HEARD, (event, given, pass) => {
      if (event === 'close') course.close()
      if (event === 'error') course.fail(given)
      if (event === 'upgrade' || event === 'connect') {
        course.upgrade(given as Answer)
        return pass()
      }
      if (this.#masked) return true
      if (event !== 'response') return hold.until(course.ask(), pass, replace)
      return hold.until(course.begin(given as Answer), () => this.#hand(pass), replace)
    })
    const destroy = request.destroy.bind(request)
    request.destroy = (error?: Error) => {
      // Here and now: over HTTP/2 the request closes before it tells of its error.
      if (error) course.fail(error)
      else if (!request.destroyed) course.hangUp()
      if (hold.active) this.#stopWaiting()
      // got is done with the stand-in, and what that masks is still being drained.
      return this.#masked && request.writableFinished ? request : destroy(error)
    }
    return request
  }

  /** Follows an answer that the transport gave as it is. */
  async answer(answer: Answer): Promise<Answer> {
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
  async nothing(error: unknown): Promise<Answer> {
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
