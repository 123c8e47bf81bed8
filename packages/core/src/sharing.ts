// What a circuit and its share in a fleet know of each other.
import type { HoldKind } from './holds.ts'
import type { Rules } from './policy.ts'

/** @internal A circuit, as its share in the fleet sees it. */
export interface SharedCircuit {
  readonly key: string
  rules(): Rules
  /** Whether its own machine is closed, whatever holds it. */
  closed(): boolean
  /** Failures in a row, and since when. */
  streak(): number
  streakSince(): number
  /** What it has counted since it was made. */
  good(): number
  bad(): number
  /** Opens, or stays open, until then. */
  followOpen(until: number, reason: 'fleet-opened' | 'corroborated'): void
  /** Closes; what it saw of an earlier epoch is forgotten. */
  followClosed(): void
  /** @returns what lets it go */
  followHold(kind: HoldKind, reason: string | undefined): () => void
}

/** @internal A circuit's share in a fleet: all that the circuit has to ask and to tell. */
export interface Sharing {
  /** From when on it wants to be {@link asked} with every call; before it, with none that finds the circuit simply closed. */
  readonly lookAt: number
  /** Somebody asks for leave, and it is time to look, or the circuit is not simply closed. */
  asked(now: number): void
  /** What is waited for before an ordinary call: undefined for nothing. */
  viewed(now: number): Promise<void> | undefined
  /** What is waited for before a probe: undefined for nothing. */
  leased(now: number): Promise<void> | undefined
  /** Whether a call may probe, as far as the fleet is concerned. */
  mayProbe(now: number): boolean
  /** A call that may probe took the place that it was given; `lease` is the circuit's own number for it. */
  probing(lease: number): void
  /** A probe ended. @returns how many ended well over the whole fleet, this one included; undefined where it was not the fleet's */
  probed(lease: number, ok: boolean | undefined, now: number): number | undefined
  /** A call of the closed circuit failed. */
  failed(now: number): void
  /** The circuit opened by what it saw itself. */
  opened(now: number, atLeast: number): void
  /** By hand. */
  trip(ms: number): void
  reset(): void
  hold(kind: HoldKind, reason: string | undefined): () => void
  /** For people. */
  explain(now: number): string
  /** The circuit is gone. */
  end(): void
}
