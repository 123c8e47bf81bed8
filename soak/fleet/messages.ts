// What a process of the fleet is given, and what it tells when it ends. Moments are milliseconds since the epoch.

export type StoreKind = 'redis' | 'dynamodb'

export interface Orders {
  readonly instances: number
  /** Calls a second of each instance. */
  readonly rate: number
  readonly service: number
  readonly mode: Mode
  /** Where the store listens, or a proxy before it. */
  readonly store: number
}

/** How instances share; undefined: not at all. */
export interface Mode {
  readonly name: string
  readonly store: StoreKind | undefined
  readonly trust: 'corroborate' | 'follow'
  readonly reads: 'polling' | 'suspicion'
  readonly push: boolean
  /** Milliseconds that a view is good for. */
  readonly refresh: number
  /** Milliseconds that a request waits for the store at most. */
  readonly wait: number
}

export interface CallSeen {
  readonly instance: string
  readonly at: number
  readonly end: 'good' | 'bad' | 'refused' | 'broken'
  /** Milliseconds from the call to the moment at which it was sent or refused. */
  readonly overhead: number
}

export interface Seen {
  readonly calls: readonly CallSeen[]
  readonly turns: readonly { readonly instance: string; readonly at: number; readonly to: string }[]
  readonly probes: readonly { readonly begun: number; readonly ended: number }[]
  readonly faults: number
  /** What a caller met that was neither a refusal nor the service's doing. */
  readonly errors: readonly string[]
}
