// What a behaviour asks of one who keeps the answers of hosts.

/** An answer, as the program gets it. */
export interface Got {
  readonly status: number
  readonly text: string
  /** Whether it says of itself that it is an earlier one. */
  readonly earlier: boolean
}

/** One who keeps answers. Where there is nothing to give, a call is rejected or gives the bad answer of the host. */
export interface Keeper {
  get(url: string, headers?: Record<string, string>): Promise<Got>
  post(url: string): Promise<unknown>
  close?(): unknown
}

/** What is asked of a keeper besides. */
interface KeeperPolicy {
  /** Its store fails at every touch. */
  readonly brokenStore?: boolean
  /** Requests under way for the same page become one. */
  readonly join?: boolean
}

/** A library that takes part. Answers may stand in for an hour after they have gone stale, where hosts say nothing else. */
export interface KeepingEntrant {
  readonly name: string
  keeper(policy?: KeeperPolicy): Keeper
}
