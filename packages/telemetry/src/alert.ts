// One alert: what happened, to which host, since when, in words for whoever is woken by it.

/** What an alert is about. */
export type AlertKind = 'open' | 'still-open' | 'recovered' | 'outbox-stale' | 'outbox-dead' | 'store-down'

/** Something that the one who looks after the service should know. */
export interface Alert {
  /** The same in each delivery of it, which may be more than one. */
  readonly id: string
  readonly kind: AlertKind
  /** The circuit's key; undefined where it is about the outbox or a store. */
  readonly key: string | undefined
  /** What people call it: the circuit's label, `outbox`, `replies` or `fleet`. */
  readonly label: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Since when it has been so, in milliseconds since the epoch. */
  readonly since: number
  /** The whole of it in a few sentences. */
  readonly text: string
}

/** Takes alerts to somebody. */
export interface Notifier {
  /** What it is called where it fails. */
  readonly name: string
  /** Takes one. What it rejects with is told as a warning of the board. The signal aborts where it has taken too long. */
  notify(alert: Alert, signal: AbortSignal): Promise<unknown>
}

/** @internal */
export const alertOf = (about: Omit<Alert, 'id'>): Alert => ({ id: crypto.randomUUID(), ...about })

const HEADLINES: Readonly<Record<AlertKind, (label: string) => string>> = {
  open: (label) => `${label} is open`,
  'still-open': (label) => `${label} is still open`,
  recovered: (label) => `${label} is closed again`,
  'outbox-stale': () => 'the outbox does not empty',
  'outbox-dead': () => 'the outbox gave requests up',
  'store-down': (label) => `the store (${label}) does not answer`,
}

/** @internal A line for a subject: 100 characters of printable ASCII at most, which is what SNS takes. */
export function subjectOf({ kind, label }: Alert): string {
  return `Fuseboard: ${HEADLINES[kind](label)}`
    .replaceAll(/[^\x20-\x7e]+/g, '?')
    .slice(0, 100)
    .trimEnd()
}

/** @internal A length of time as a sentence has it: `45 s`, `12 min`, `3 h`. */
export function spell(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return `${Math.round(ms / 3_600_000)} h`
}

/** @internal `1 call`, `2 calls`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
