// Takes alerts to those who want them: each in order, none waiting for another, and none for long.
import { plural, type Alert, type Notifier } from './alert.ts'
import { wordsOf } from './checks.ts'
import { within } from './deadline.ts'

/** What became of the alerts since it was asked last: each counts once for each notifier. */
export interface Delivered {
  readonly sent: number
  /** Failed, or too many waited already: each is a warning of the board. */
  readonly failed: number
  /** Still under way. */
  readonly waiting: number
}

/** So many alerts may wait for a notifier. */
const MOST_WAITING = 100

/** @internal */
export class Courier {
  readonly #lanes: readonly Lane[]

  constructor(notifiers: readonly Notifier[], ms: number, warn: (message: string) => void) {
    this.#lanes = notifiers.map((notifier) => new Lane(notifier, ms, warn))
  }

  take(alert: Alert): void {
    for (const lane of this.#lanes) lane.take(alert)
  }

  async idle(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.idle()))
  }

  report(): Delivered {
    const all = this.#lanes.map((lane) => lane.report())
    const sum = (name: keyof Delivered): number => all.reduce((total, one) => total + one[name], 0)
    return { sent: sum('sent'), failed: sum('failed'), waiting: sum('waiting') }
  }
}

class Lane {
  readonly #notifier: Notifier
  readonly #ms: number
  readonly #warn: (message: string) => void
  readonly #waiting: Alert[] = []
  #going: Promise<void> | undefined
  #sent = 0
  #failed = 0

  constructor(notifier: Notifier, ms: number, warn: (message: string) => void) {
    this.#notifier = notifier
    this.#ms = ms
    this.#warn = warn
  }

  take(alert: Alert): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#fail(`more than ${plural(MOST_WAITING, 'alert')} wait for it`)
      return
    }
    this.#waiting.push(alert)
    this.#going ??= this.#run()
  }

  /** Ends when nothing waits. It never rejects. */
  async idle(): Promise<void> {
    await this.#going
  }

  report(): Delivered {
    const report = { sent: this.#sent, failed: this.#failed, waiting: this.#waiting.length }
    this.#sent = this.#failed = 0
    return report
  }

  async #run(): Promise<void> {
    // Whoever made the call that opened a circuit does not do the work of telling.
    await Promise.resolve()
    for (let [alert] = this.#waiting; alert !== undefined; [alert] = this.#waiting) {
      await this.#send(alert)
      this.#waiting.shift()
    }
    this.#going = undefined
  }

  async #send(alert: Alert): Promise<void> {
    try {
      await within(this.#ms, (signal) => this.#notifier.notify(alert, signal))
      this.#sent++
    } catch (error) {
      this.#fail(wordsOf(error))
    }
  }

  #fail(why: string): void {
    this.#failed++
    this.#warn(`An alert was not sent by ${this.#notifier.name}: ${why}`)
  }
}
