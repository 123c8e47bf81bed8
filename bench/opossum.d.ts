// The little of opossum that the bench uses; it ships no types.
declare module 'opossum' {
  export default class CircuitBreaker<A extends unknown[], T> {
    constructor(
      action: (...args: A) => Promise<T>,
      options?: {
        timeout?: number | false
        resetTimeout?: number
        rollingCountTimeout?: number
        errorThresholdPercentage?: number
        rollingPercentilesEnabled?: boolean
        enableSnapshots?: boolean
      },
    )
    fire(...args: A): Promise<T>
    open(): void
  }
}
