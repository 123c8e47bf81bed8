// Which hosts are open, what was told of them, and what is due to be told.
import type { Circuit, Counters, State } from '@fuseboard/core'
import { alertOf, plural, spell, type Alert } from './alert.ts'

/** @internal What a change of a circuit is known by. */
interface Change {
  readonly key: string
  readonly label: string
  readonly to: State
  readonly at: number
  readonly message: string
}

interface Outage {
  readonly key: string
  readonly label: string
  readonly since: number
  readonly before: Counters | undefined
  /** Why it opened last. */
  message: string
  told: boolean
  escalated: boolean
}

/** Of so many hosts it is remembered when they were told of last. */
const MOST_TOLD = 10_000

/** @internal An outage lasts from the first opening to the closing: the probes that fail in between are no news. */
export class Outages {
  readonly #peek: (key: string) => Circuit | undefined
  readonly #dedupe: number
  readonly #escalateAfter: number
  readonly #outages = new Map<string, Outage>()
  readonly #toldAt = new Map<string, number>()

  constructor(peek: (key: string) => Circuit | undefined, dedupe: number, escalateAfter: number) {
    this.#peek = peek
    this.#dedupe = dedupe
    this.#escalateAfter = escalateAfter
  }

  /** Takes note of a change. @returns what it ends, where that was told of */
  change({ key, label, to, at, message }: Change): Alert | undefined {
    if (to === 'half-open') return undefined
    const outage = this.#outages.get(key)
    if (to === 'open' || to === 'isolated') {
      if (outage !== undefined) outage.message = message
      else this.#begin(key, label, at, message)
      return undefined
    }
    this.#outages.delete(key)
    return outage?.told === true ? this.#recovered(outage, at, message) : undefined
  }

  /** When something is due next, as far as nothing changes. */
  get dueAt(): number {
    return Math.min(...[...this.#outages.values()].map((outage) => this.#dueAt(outage)), Infinity)
  }

  /** What is due now. It is taken for told. */
  due(now: number): readonly Alert[] {
    // One that made room for others has had no caller for long: nobody will know whether it is well.
    for (const key of this.#outages.keys()) if (this.#peek(key) === undefined) this.#outages.delete(key)
    return [...this.#outages.values()].filter((outage) => now >= this.#dueAt(outage)).map((one) => this.#tell(one, now))
  }

  #begin(key: string, label: string, since: number, message: string): void {
    const before = this.#peek(key)?.counters
    this.#outages.set(key, { key, label, since, before, message, told: false, escalated: false })
  }

  #dueAt({ key, since, told, escalated }: Outage): number {
    if (!told) return Math.max(since, (this.#toldAt.get(key) ?? -Infinity) + this.#dedupe)
    return escalated ? Infinity : since + this.#escalateAfter
  }

  #tell(outage: Outage, at: number): Alert {
    const { key, label, since, message, told } = outage
    if (told) {
      outage.escalated = true
      const text = `${label} is still open after ${spell(at - since)}${this.#sum(outage)}. Last: ${message}.`
      return alertOf({ kind: 'still-open', key, label, at, since, text })
    }
    outage.told = true
    this.#remember(key, at)
    const text = `${message}. Its calls are refused meanwhile: they are not sent.`
    return alertOf({ kind: 'open', key, label, at, since, text })
  }

  #recovered(outage: Outage, at: number, message: string): Alert {
    const { key, label, since } = outage
    const text = `${message}. It was open for ${spell(at - since)}${this.#sum(outage)}.`
    return alertOf({ kind: 'recovered', key, label, at, since, text })
  }

  #sum({ key, before }: Outage): string {
    const now = this.#peek(key)?.counters
    if (now === undefined || before === undefined || now.refused < before.refused) return ''
    const refused = plural(now.refused - before.refused, 'call')
    return `: ${refused} refused and not sent, ${now.fallbacks - before.fallbacks} stood in for`
  }

  #remember(key: string, at: number): void {
    this.#toldAt.delete(key)
    const [oldest] = this.#toldAt.keys()
    if (this.#toldAt.size >= MOST_TOLD && oldest !== undefined) this.#toldAt.delete(oldest)
    this.#toldAt.set(key, at)
  }
}
