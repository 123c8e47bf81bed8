// The little of opossum that the bench and the scoreboard use; it ships no types.
declare module 'opossum' {
  interface Options {
    timeout?: number | false
    resetTimeout?: number
    rollingCountTimeout?: number
    errorThresholdPercentage?: number
    volumeThreshold?: number
    errorFilter?: (error: unknown) => boolean
    capacity?: number
    cache?: boolean
    cacheTTL?: number
    cacheGetKey?: (...args: never[]) => string
    cacheTransport?: Readonly<Record<'get' | 'set' | 'flush', () => unknown>>
    coalesce?: boolean
    abortController?: AbortController
    autoRenewAbortController?: boolean
    rollingPercentilesEnabled?: boolean
    enableSnapshots?: boolean
    allowWarmUp?: boolean
  }

  export default class CircuitBreaker<A extends unknown[], T> {
    readonly options: Options
    readonly stats: { readonly percentiles: Readonly<Record<string, number>> }
    constructor(action: (...args: A) => Promise<T> | T, options?: Options)
    fire(...args: A): Promise<T>
    fallback(give: () => unknown): this
    on(event: 'open' | 'success', listener: () => unknown): this
    open(): void
    close(): void
    getSignal(): AbortSignal | undefined
    healthCheck(check: () => Promise<unknown>, interval: number): void
    toJSON(): object
  }
}
