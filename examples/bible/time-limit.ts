// A time limit that sits below the breaker, so that a host that hangs counts as failed and a stored verse can stand in.
import type { Dispatcher } from 'undici'

/**
 * An undici interceptor: a request whose answer has not begun after `ms` fails with a `TimeoutError`. undici's own
 * `headersTimeout` does the same, to the nearest second; this program runs faster than that.
 */
export function timeLimit(ms: number): Dispatcher.DispatcherComposeInterceptor {
  return (dispatch) => (options, handler) => dispatch(options, new TimeLimit(handler, ms))
}

type Handler = Dispatcher.DispatchHandler

class TimeLimit implements Handler {
  readonly #handler: Handler
  readonly #ms: number
  #timer: NodeJS.Timeout | undefined

  constructor(handler: Handler, ms: number) {
    this.#handler = handler
    this.#ms = ms
  }

  onRequestStart(...args: Parameters<NonNullable<Handler['onRequestStart']>>): void {
    const late = (): void => args[0].abort(new DOMException(`No answer within ${this.#ms} ms`, 'TimeoutError'))
    this.#timer = setTimeout(late, this.#ms)
    this.#handler.onRequestStart?.(...args)
  }

  onRequestUpgrade(...args: Parameters<NonNullable<Handler['onRequestUpgrade']>>): void {
    clearTimeout(this.#timer)
    this.#handler.onRequestUpgrade?.(...args)
  }

  onResponseStart(...args: Parameters<NonNullable<Handler['onResponseStart']>>): void {
    clearTimeout(this.#timer)
    this.#handler.onResponseStart?.(...args)
  }

  onResponseData(...args: Parameters<NonNullable<Handler['onResponseData']>>): void {
    this.#handler.onResponseData?.(...args)
  }

  onResponseEnd(...args: Parameters<NonNullable<Handler['onResponseEnd']>>): void {
    this.#handler.onResponseEnd?.(...args)
  }

  onResponseError(...args: Parameters<NonNullable<Handler['onResponseError']>>): void {
    clearTimeout(this.#timer)
    this.#handler.onResponseError?.(...args)
  }
}
