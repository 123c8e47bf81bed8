// A body that is passed on chunk by chunk, and whose end, break or abandonment its attempt is told of.
import type { Attempt } from './attempt.ts'
import type { Cause } from './outcome.ts'

/** @internal Whether a body can be read as it passes: not that of a mock, nor one that somebody reads already. */
export const isReadable = (body: ReadableStream<Uint8Array> | null | undefined): body is ReadableStream<Uint8Array> =>
  typeof body?.getReader === 'function' && !body.locked

/**
 * @internal Passes a body on chunk by chunk, as it is asked for, and tells the attempt of its end, its break or its abandonment.
 * @param causeOf why it broke, where the caller or a time limit broke it
 */
export function watchBody(
  body: ReadableStream<Uint8Array>,
  attempt: Attempt,
  captured: boolean,
  causeOf: (error: unknown) => Cause | undefined,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream({
    type: 'bytes',
    async pull(controller: ReadableByteStreamController) {
      try {
        const { done, value } = await reader.read()
        if (done) {
          attempt.end()
          controller.close()
          // A reader that brought its own buffer waits for an answer of its own.
          controller.byobRequest?.respond(0)
        } else if (value.byteLength > 0) {
          if (captured) attempt.chunk(value)
          controller.enqueue(value)
        }
      } catch (error) {
        attempt.amend({ error, cause: causeOf(error) ?? causeOfDecoding(error) })
        throw error
      }
    },
    cancel(reason) {
      attempt.drop()
      return reader.cancel(reason)
    },
  })
}

/** @internal The bytes came whole and did not unpack: the host answered. */
export function causeOfDecoding(error: unknown): Cause {
  const { code } = ((error as { cause?: unknown } | undefined)?.cause ?? error ?? {}) as { code?: unknown }
  return typeof code === 'string' && /^(?:Z_|ERR__ERROR_FORMAT|ERR_BROTLI|ERR_ZSTD)/.test(code) ? 'caller' : 'unknown'
}
