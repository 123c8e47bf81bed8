// Tells the one who looks after the service: a host is open, is still open, is well again; the outbox or a store is in trouble.
import type { Board, Duration, RefusedEvent, StoreEvent } from '@fuseboard/core'
import { alertOf, plural, spell, type Alert, type Notifier } from './alert.ts'
import { checkBoard, checkMethod, checkOptions, checkSpan, checkText, show, wordsOf } from './checks.ts'
import { Courier, type Delivered } from './courier.ts'
import { within } from './deadline.ts'
import { askOutbox, type OutboxLike } from './outbox.ts'
import { Outages } from './outages.ts'

export type { Alert, AlertKind, Notifier } from './alert.ts'
export type { Delivered } from './courier.ts'
export type { OutboxDepth, OutboxLike } from './outbox.ts'
export { email, type EmailOptions, type TransportLike } from './email.ts'
export { sns, type SnsClientLike, type SnsOptions } from './sns.ts'
export { webhook, type WebhookOptions } from './webhook.ts'

/** Who is told, and of what. */
export interface AlertsOptions {
  /** Who is told: `webhook(...)`, `sns(...)`, `email(...)`, or anything with a name and a method `notify`. */
  notify: readonly Notifier[]
  /** So long nothing of the same kind is told again of the same host. @default '15m' */
  dedupe?: Duration
  /** A host that is open for longer is told of once more. `false` for never. @default '30m' */
  escalateAfter?: Duration | false
  /** Is asked, at most once a minute, when a circuit changes, and on `flush()`. @default none */
  outbox?: OutboxLike
  /** A request that waits in the outbox for longer is told of. @default '15m' */
  staleAfter?: Duration
  /** How long one delivery may take, with all its tries; and the longest that `flush()` waits. @default '5s' */
  timeout?: Duration
}

/** What tells of a board. */
export interface Alerts extends Disposable {
  /** Looks at what is due, and waits for what is under way. It never rejects. @returns what became of the alerts since the last time */
  flush(): Promise<Delivered>
  /** Leaves the board alone from now on. */
  stop(): void
}

/** So many faults within so long mean that a store is down, and not just slow once. */
const FAULTS = { count: 3, withinMs: 60_000 }

const OUTBOX_EVERY = 60_000

/**
 * Tells of a board's troubles, beside its calls: no call ever waits for it, and it does not go through the board itself.
 *
 * There are no timers. That a host is still open is judged when something happens on the board (a call refused, a circuit
 * changed) and on `flush()`: where nobody calls a host, nobody misses it.
 *
 * What was told is remembered in this process only. Of a fleet, every instance tells: use CloudWatch alarms for one voice.
 *
 * @example
 * const telling = alerts(board, { notify: [webhook(process.env.SLACK_WEBHOOK), email(transport, { from, to })] })
 * @throws TypeError or RangeError where the board or an option is wrong
 */
export function alerts(board: Board, options: AlertsOptions): Alerts {
  checkBoard('alerts', board)
  const { notify, dedupe, escalateAfter, staleAfter, timeout } = readOptions(options)
  const warn = (message: string): void => board.warn('alerts', message)
  const courier = new Courier(notify, timeout, warn)
  const told = new Told(dedupe)
  const stores = new StoreWatch(told)
  const outbox = options.outbox && new OutboxWatch(options.outbox, staleAfter, told, warn)
  const outages = new Outages((key) => board.peek(key), dedupe, escalateAfter)

  const tell = (all: readonly (Alert | undefined)[]): void => {
    for (const alert of all) if (alert !== undefined) courier.take(alert)
  }
  let dueAt = Infinity
  let unhear: (() => void) | undefined
  const judge = (now: number): void => {
    tell(outages.due(now))
    dueAt = outages.dueAt
    // An event of a refusal is built for who hears it: only while one could make something due.
    if (dueAt < Infinity) unhear ??= board.on('refused', heard)
    else deafen()
  }
  const heard = ({ at }: RefusedEvent): void => {
    if (at >= dueAt) judge(at)
  }
  const deafen = (): void => {
    unhear?.()
    unhear = undefined
  }
  const stops = [
    board.on('transition', (event) => {
      // What a circuit in shadow would have done is nobody's outage; that one is over is so in any case.
      if (!event.shadow || event.to === 'closed') tell([outages.change(event)])
      judge(event.at)
      void outbox?.look(event.at, OUTBOX_EVERY).then(tell)
    }),
    board.on('store', (event) => tell([stores.fault(event, board.time.wall())])),
  ]
  const stop = (): void => {
    for (const end of [...stops, deafen]) end()
  }

  return {
    async flush() {
      const now = board.time.wall()
      judge(now)
      if (outbox !== undefined) tell(await outbox.look(now, 0))
      // What takes longer goes on, and is told as waiting.
      await within(timeout, () => courier.idle()).catch(() => {})
      return courier.report()
    },
    stop,
    [Symbol.dispose]: stop,
  }
}

interface Terms {
  readonly notify: readonly Notifier[]
  readonly dedupe: number
  readonly escalateAfter: number
  readonly staleAfter: number
  readonly timeout: number
}

function readOptions(options: AlertsOptions): Terms {
  checkOptions('alerts', options, ['notify', 'dedupe', 'escalateAfter', 'outbox', 'staleAfter', 'timeout'])
  const { notify, dedupe = '15m', escalateAfter = '30m', outbox, staleAfter = '15m', timeout = '5s' } = options
  if (!Array.isArray(notify) || notify.length === 0)
    throw new TypeError(`alerts.notify must be a list of at least one notifier, got ${show(notify)}`)
  for (const [n, notifier] of notify.entries()) {
    checkMethod(`alerts.notify[${n}]`, notifier, 'notify')
    checkText(`alerts.notify[${n}].name`, (notifier as Partial<Notifier>).name)
  }
  if (outbox !== undefined) checkMethod('alerts.outbox', outbox, 'depth')
  return {
    notify: [...(notify as readonly Notifier[])],
    dedupe: checkSpan('alerts.dedupe', dedupe),
    escalateAfter: escalateAfter === false ? Infinity : checkSpan('alerts.escalateAfter', escalateAfter),
    staleAfter: checkSpan('alerts.staleAfter', staleAfter),
    timeout: checkSpan('alerts.timeout', timeout),
  }
}

/** What was told of what is no host. */
class Told {
  readonly #dedupe: number
  readonly #at = new Map<string, number>()

  constructor(dedupe: number) {
    this.#dedupe = dedupe
  }

  /** Whether it may be told now, which it then is. */
  may(what: string, now: number): boolean {
    const last = this.#at.get(what)
    if (last !== undefined && now < last + this.#dedupe) return false
    this.#at.set(what, now)
    return true
  }
}

/** A store that answers sends no event: it is down while its faults come close together. */
class StoreWatch {
  readonly #told: Told
  readonly #faults: Record<'replies' | 'fleet', number[]> = { replies: [], fleet: [] }

  constructor(told: Told) {
    this.#told = told
  }

  fault({ action, fault }: StoreEvent, at: number): Alert | undefined {
    // A reply that is too large fails to be written too, and nothing is wrong with the store.
    if (action === 'set' || action === 'delete') return undefined
    const label = action === 'get' ? 'replies' : 'fleet'
    const recent = [...this.#faults[label], at].slice(-FAULTS.count)
    this.#faults[label] = recent
    const [since = at] = recent
    if (recent.length < FAULTS.count || at - since > FAULTS.withinMs || !this.#told.may(label, at)) return undefined
    const what = label === 'replies' ? 'The store of replies' : 'The store of the fleet'
    const text = `${what} fails: ${FAULTS.count} faults within ${spell(at - since)}, the last: ${fault}. Calls go on without it.`
    return alertOf({ kind: 'store-down', key: undefined, label, at, since, text })
  }
}

class OutboxWatch {
  readonly #outbox: OutboxLike
  readonly #staleAfter: number
  readonly #told: Told
  readonly #warn: (message: string) => void
  #askedAt = -Infinity
  #stale = false
  #dead = 0

  constructor(outbox: OutboxLike, staleAfter: number, told: Told, warn: (message: string) => void) {
    this.#outbox = outbox
    this.#staleAfter = staleAfter
    this.#told = told
    this.#warn = warn
  }

  /** Asks it, unless that was done just now. It never rejects. */
  async look(now: number, every: number): Promise<readonly (Alert | undefined)[]> {
    if (Math.abs(now - this.#askedAt) < every) return []
    this.#askedAt = now
    try {
      const { pending, ageMs, dead } = await askOutbox(this.#outbox, now)
      return [this.#judgeAge(pending, ageMs, now), this.#judgeDead(dead, now)]
    } catch (error) {
      this.#warn(`The outbox could not be asked: ${wordsOf(error)}`)
      return []
    }
  }

  #judgeAge(pending: number, ageMs: number, at: number): Alert | undefined {
    const was = this.#stale
    this.#stale = ageMs >= this.#staleAfter
    if (!this.#stale || was) return undefined
    if (!this.#told.may('outbox-stale', at)) {
      this.#stale = false
      return undefined
    }
    const text = `The outbox does not empty: ${plural(pending, 'request')} waiting, the oldest for ${spell(ageMs)}.`
    return alertOf({ kind: 'outbox-stale', key: undefined, label: 'outbox', at, since: at - ageMs, text })
  }

  #judgeDead(dead: number, at: number): Alert | undefined {
    const more = dead - this.#dead
    if (more <= 0) this.#dead = dead
    if (more <= 0 || !this.#told.may('outbox-dead', at)) return undefined
    this.#dead = dead
    const text = `The outbox gave ${plural(more, 'request')} up (${dead} in all): nothing sends them again by itself.`
    return alertOf({ kind: 'outbox-dead', key: undefined, label: 'outbox', at, since: at, text })
  }
}
