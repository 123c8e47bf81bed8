// What must end in time: nothing that is told to the outside may keep a flush waiting.

/**
 * @internal What does not end within so many milliseconds fails. The timer is cleared as soon as it has ended.
 * @throws Error where it is late; what it throws
 */
export async function within<T>(ms: number, act: (signal: AbortSignal) => T | PromiseLike<T>): Promise<T> {
  const giveUp = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      const error = new Error(`no answer within ${ms} ms`)
      reject(error)
      giveUp.abort(error)
    }, ms)
  })
  try {
    return await Promise.race([act(giveUp.signal), late])
  } finally {
    clearTimeout(timer)
  }
}
