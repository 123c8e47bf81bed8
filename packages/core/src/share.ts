// One circuit's share in a fleet: what the store was last seen to say, what this instance has to say, and who may probe.
import type { FleetLink, Answer } from './fleet-link.ts'
import { CLEAN, decode, encode, type FleetRecord } from './fleet-record.ts'
import { step, type FleetEvent, type OpenTime } from './fleet-step.ts'
import type { HoldKind } from './holds.ts'
import { spanOf } from './policy.ts'
import { spell } from './duration.ts'
import type { Snapshot } from './shared-store.ts'
import type { SharedCircuit, Sharing } from './sharing.ts'

/** What the store was last seen to hold. */
interface View {
  readonly version: number
  readonly record: FleetRecord
  /** The store's time less the board's. */
  readonly ahead: number
  /** When it was asked for, on the board's clock. */
  readonly askedAt: number
}

/** Something that the fleet has to be told. */
interface Duty {
  /** Not before. */
  from: number
  readonly event: () => FleetEvent
  /** Evidence: void once the fleet knows better. */
  readonly evidence: boolean
}

interface OwnLease {
  readonly token: string
  readonly epoch: number
  readonly until: number
}

/** A hold of the whole fleet, as it is kept here. */
interface Kept {
  readonly letGo: () => void
  /** It was put on here: whoever did so lets it go. */
  readonly own: boolean
  /** The store has it. */
  known: boolean
}

/** A view this fresh need not be read again before a write. */
const FRESH = 20
const MOST_TRIES = 5
/** A record outlives the longest open time by far, and a hold until somebody lets go. */
const KEPT = 3_600_000
const HELD = 30 * 86_400_000
/** No hand opens a circuit for longer, whatever the store says. */
const BY_HAND = 7 * 86_400_000

/** @internal Half-open is open past its time: whoever is given a lease may probe. */
export class Share implements Sharing {
  lookAt: number = Infinity
  readonly #circuit: SharedCircuit
  readonly #link: FleetLink
  #view: View | undefined = undefined
  /** The epoch that the circuit is in; undefined until the store has been seen. */
  #epoch: number | undefined = undefined
  /** When the store was asked that told of it first, on the board's clock. */
  #seenAt = 0
  /** The circuit closed by its own probe, and the fleet has not answered yet. */
  #closing = false
  #reading: Promise<void> | undefined = undefined
  /** Requests wait for a reading until then, and not again before a refresh has passed. */
  #waitUntil = -Infinity
  /** A write may have come through or not: what was seen before it is not to be built upon. */
  #unsure = false
  /** An older record was seen than before, first at. */
  #olderAt: number | undefined = undefined
  #duties: Duty[] = []
  #telling: Promise<void> | undefined = undefined
  #lease: OwnLease | undefined = undefined
  #leasing: Promise<void> | undefined = undefined
  readonly #probes = new Map<number, OwnLease>()
  /** When a place was first seen to be lent, by its token, on the board's clock. */
  readonly #lentSince = new Map<string, number>()
  /** When this instance tries for a lease: not all at once. */
  #leaseFrom = 0
  readonly #holds = new Map<string, Kept>()
  /** Let go here, and perhaps not yet there. */
  readonly #released = new Set<string>()
  #suspectedAt = -Infinity
  #failedAt = -Infinity
  #gap = 0
  /** What the circuit had counted when the fleet opened. */
  #good = 0
  #bad = 0
  #over = false
  readonly #endWatch: () => void
  readonly #ended: () => void

  constructor(circuit: SharedCircuit, link: FleetLink, ended: () => void) {
    this.#circuit = circuit
    this.#link = link
    this.#ended = ended
    this.#plan()
    this.#endWatch = link.pushes ? link.watch(circuit.key, (answer) => this.#adopt(answer, false)) : () => {}
  }

  asked(now: number): void {
    const { terms } = this.#link
    if (this.#link.down(now)) return this.#plan()
    const due = this.#duties[0]
    if (due !== undefined && now >= due.from) void this.#tell()
    if (this.#watchful && now - this.#askedAt > terms.refresh) void this.#refresh()
  }

  viewed(now: number): Promise<void> | undefined {
    const { terms } = this.#link
    if (this.#link.down(now) || !this.#watchful || now - this.#askedAt <= terms.staleAfter) return undefined
    if (now >= this.#waitUntil + terms.refresh) this.#waitUntil = now + terms.wait
    if (now >= this.#waitUntil) return undefined
    return this.#link.within(this.#refresh(), this.#waitUntil - now)
  }

  leased(now: number): Promise<void> | undefined {
    if (!this.#needsLease(now) || this.#inHand(now) || !this.#mayTry(now)) return undefined
    return this.#link.within(this.#acquire(now), this.#link.terms.wait)
  }

  mayProbe(now: number): boolean {
    if (!this.#needsLease(now)) return !this.#link.down(now) || now >= this.#leaseFrom
    if (this.#inHand(now)) return true
    if (this.#mayTry(now)) void this.#acquire(now)
    return false
  }

  probing(lease: number): void {
    if (this.#lease !== undefined) this.#probes.set(lease, this.#lease)
    this.#lease = undefined
  }

  probed(lease: number, ok: boolean | undefined, now: number): number | undefined {
    const own = this.#probes.get(lease)
    if (own === undefined) return undefined
    this.#probes.delete(lease)
    const { need, permits } = this.#circuit.rules()
    const open = this.#openTime(0)
    const { token, epoch } = own
    const spare = Math.max(0, permits - need)
    const passed = new Set(this.#view?.record.passed)
    if (ok === true) this.#closing = passed.add(token).size >= need
    this.#owe(now, () => ({ do: 'settle', epoch, token, ok, need, spare, open }))
    return passed.size
  }

  failed(now: number): void {
    const { terms } = this.#link
    const circuit = this.#circuit
    const view = this.#view
    if (this.#link.down(now)) return
    if (view?.record.open === true && !this.#closing && this.#corroborated) {
      circuit.followOpen(this.#until(view), 'corroborated')
      return this.#drawLeaseFrom(now)
    }
    // One look a failure at first, then fewer: a host that always fails a little is no reason to ask all the time.
    if (now - this.#failedAt > terms.refresh) this.#gap = terms.refresh / 16
    this.#failedAt = now
    if (now - this.#suspectedAt < this.#gap) return
    this.#suspectedAt = now
    this.#gap = Math.min(2 * this.#gap, terms.refresh)
    void this.#refresh()
  }

  opened(now: number, atLeast: number): void {
    this.#drawLeaseFrom(now)
    // What the fleet has open already need not be opened, nor what this instance has just told.
    if (this.#view?.record.open === true && !this.#closing) return
    const open = this.#openTime(atLeast)
    const by = this.#link.instance
    const { quorum } = this.#link.terms
    // Where one instance knows of a push at once, no two of them have to wait for each other.
    const from = now + (this.#link.pushes ? 0 : this.#link.home.random() * this.#link.terms.jitter)
    const event = (): FleetEvent => ({
      do: 'trip',
      epoch: (this.#epoch ?? 0) + (this.#closing ? 1 : 0),
      open,
      by,
      quorum: Math.max(1, quorum),
      within: spanOf(this.#circuit.rules()),
    })
    this.#owe(from, event, true)
  }

  trip(ms: number): void {
    this.#owe(0, () => ({ do: 'open', ms }))
  }

  reset(): void {
    this.#duties = []
    for (const id of this.#holds.keys()) this.#released.add(id)
    this.#holds.clear()
    this.#owe(0, () => ({ do: 'reset' }))
  }

  hold(kind: HoldKind, reason: string | undefined): () => void {
    const id = this.#link.token()
    const letGo = this.#circuit.followHold(kind, reason)
    this.#holds.set(id, { letGo, own: true, known: false })
    this.#owe(0, () => ({ do: 'hold', id, kind, reason }))
    return () => {
      if (!this.#holds.delete(id)) return
      this.#released.add(id)
      letGo()
      this.#owe(0, () => ({ do: 'release', id }))
    }
  }

  explain(now: number): string {
    const view = this.#view
    const seen =
      view === undefined
        ? 'was not seen yet'
        : `had it ${view.record.open ? 'open' : 'closed'} ${spell(now - view.askedAt)} ago`
    const down = this.#link.down(now) ? '; its store does not answer, so this instance decides by itself' : ''
    return `The fleet ${seen}${down}.`
  }

  end(): void {
    this.#over = true
    this.#endWatch()
    this.#ended()
    // Nobody would hear of their end.
    for (const { own, letGo } of this.#holds.values()) if (!own) letGo()
  }

  /** Reads what the store holds, if that was not seen yet or is too old. */
  async ready(now: number): Promise<void> {
    const { polls, staleAfter } = this.#link.terms
    if (this.#view === undefined || (polls && now - this.#askedAt > staleAfter)) await this.#refresh()
  }

  /** Tells the fleet what it does not know yet. */
  async flush(): Promise<void> {
    await this.#telling
    for (const duty of this.#duties) duty.from = 0
    await this.#tell()
  }

  /** Says when the circuit is to ask next. */
  #plan(): void {
    const duty = this.#duties[0]?.from ?? Infinity
    const look = this.#watchful ? this.#askedAt + this.#link.terms.refresh + 1 : Infinity
    this.lookAt = Math.max(Math.min(duty, look), this.#link.restsUntil)
  }

  /** Whether it matters what the store says. */
  get #watchful(): boolean {
    return this.#link.terms.polls || !this.#circuit.closed() || this.#view?.record.open === true || this.#holds.size > 0
  }

  get #askedAt(): number {
    return this.#view?.askedAt ?? -Infinity
  }

  /** Only where the fleet has it open: otherwise this instance is on its own. */
  #needsLease(now: number): boolean {
    return !this.#link.down(now) && this.#view?.record.open === true
  }

  #inHand(now: number): boolean {
    return this.#lease !== undefined && now < this.#lease.until
  }

  #mayTry(now: number): boolean {
    const view = this.#view
    if (this.#leasing !== undefined || view === undefined || now < this.#leaseFrom) return false
    const { leases } = view.record
    const { permits } = this.#circuit.rules()
    const there = now + view.ahead
    const lent = leases.filter(({ token, until }) => there < until && !this.#isOver(token, now))
    if (lent.length >= permits) return false
    // All who knew the place as taken know it as free from the same moment on.
    const freed = Math.max(...leases.map(({ until }) => until).filter((until) => until <= there)) - view.ahead
    if (this.#leaseFrom < freed) this.#drawLeaseFrom(freed)
    return now >= this.#leaseFrom
  }

  #acquire(now: number): Promise<void> {
    return (this.#leasing ??= this.#tryLease(now).finally(() => {
      this.#leasing = undefined
    }))
  }

  // By the clock of before the request: when the fleet takes the place for free, so does its holder.
  async #tryLease(now: number): Promise<void> {
    const { within, permits } = this.#circuit.rules()
    const token = this.#link.token()
    const told = await this.#write(() => {
      const view = this.#view as View
      const from = Math.floor(this.#until(view) + view.ahead)
      const over = [...this.#lentSince.keys()].filter((token) => this.#isOver(token, now))
      return { do: 'lease', token, ms: within, permits, from, over }
    })
    const { record } = this.#view ?? { record: CLEAN }
    if (told && record.open && record.leases.some((lease) => lease.token === token)) {
      this.#lease = { token, epoch: record.epoch, until: now + within }
    } else this.#drawLeaseFrom(this.#link.home.time.thawed())
  }

  /** No honest place is lent for so long, unless by another policy. */
  #isOver(token: string, now: number): boolean {
    return now - (this.#lentSince.get(token) ?? now) >= 2 * this.#circuit.rules().within
  }

  #drawLeaseFrom(now: number): void {
    const { random } = this.#link.home
    const view = this.#view
    const from = Math.max(now, view === undefined ? 0 : this.#until(view))
    // Without the store each probes by itself: these are spread further.
    const { openFrom } = this.#circuit.rules()
    const spread = this.#link.down(now) ? openFrom : Math.min(this.#link.terms.jitter, openFrom / 5)
    this.#leaseFrom = from + random() * spread
  }

  /**
   * The open time as a board's moment, bounded: no record stops an instance, from its first sight of it, for longer than its own
   * policy would.
   */
  #until({ record, ahead }: View): number {
    const { openTo, openJitter, maxPause } = this.#circuit.rules()
    const longest = record.byHand ? BY_HAND : Math.max(openTo * (1 + openJitter), maxPause)
    return Math.min(record.until - ahead, this.#seenAt + Math.min(longest, record.until - record.at))
  }

  #openTime(atLeast: number): OpenTime {
    const { openFrom, openTo, openFactor, openJitter } = this.#circuit.rules()
    const stretch = 1 + openJitter * this.#link.home.random()
    return { from: openFrom, to: openTo, factor: openFactor, stretch, atLeast }
  }

  /**
   * Another's verdict lowers the calls that are needed here to two in a row, not the share of them that must fail: where most go
   * well since, it is the other instance that is sick. One would do, were there hosts that never fail.
   */
  get #corroborated(): boolean {
    const good = this.#circuit.good() - this.#good
    const bad = this.#circuit.bad() - this.#bad
    return this.#circuit.streak() > 1 && bad >= this.#circuit.rules().failureRate * (good + bad)
  }

  #refresh(): Promise<void> {
    return (this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    }))
  }

  async #read(): Promise<void> {
    const answer = await this.#link.read(this.#circuit.key)
    if (answer !== undefined) this.#adopt(answer, false)
  }

  #owe(from: number, event: () => FleetEvent, evidence = false): void {
    if (evidence) this.#duties = this.#duties.filter((duty) => !duty.evidence)
    this.#duties.push({ from, event, evidence })
    this.#plan()
    const now = this.#link.home.time.thawed()
    if (from <= now && !this.#link.down(now)) void this.#tell()
  }

  #tell(): Promise<void> {
    return (this.#telling ??= this.#work().finally(() => {
      this.#telling = undefined
    }))
  }

  async #work(): Promise<void> {
    const { time } = this.#link.home
    for (let duty = this.#duties[0]; duty !== undefined && duty.from <= time.thawed(); duty = this.#duties[0]) {
      const { event } = duty
      const told = await this.#write(() => (this.#duties[0] === duty ? event() : undefined))
      if (this.#duties[0] !== duty) continue
      if (!told) {
        duty.from = time.thawed() + Math.min(this.#link.terms.refresh, this.#link.terms.timeout)
        return this.#plan()
      }
      this.#duties.shift()
      this.#plan()
    }
  }

  /**
   * Reads before it writes, so that of many who have the same to say one writes.
   * @returns whether the fleet knows it now, or need not
   */
  async #write(say: () => FleetEvent | undefined): Promise<boolean> {
    const link = this.#link
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const before = link.home.time.thawed()
      const seen = this.#view
      if (this.#unsure || before - this.#askedAt > FRESH) await this.#refresh()
      const now = link.home.time.thawed()
      const view = this.#view
      if (view === undefined || (view === seen && before - view.askedAt > FRESH)) return false
      // A reading that was under way may have been for long.
      if (this.#unsure || before - view.askedAt > FRESH) continue
      const event = say()
      const next = event && step(view.record, event, Math.floor(now + view.ahead))
      if (next === undefined) return true
      const notAfter = Math.floor(now + view.ahead) + link.terms.timeout
      const answer = await link.swap(this.#circuit.key, view.version, encode(next), { ttl: this.#ttl(next), notAfter })
      if (answer === undefined) {
        this.#unsure = true
        return false
      }
      this.#adopt(answer, true)
      if (answer.won) return true
    }
    return false
  }

  #ttl({ holds, at, until }: FleetRecord): number {
    if (holds.length > 0) return HELD
    return Math.max(KEPT, 10 * this.#circuit.rules().openTo, until - at + KEPT)
  }

  // An answer to a write says what is so; a read or a push may be older than what was seen before.
  #adopt(answer: Answer<Snapshot>, authoritative: boolean): void {
    if (this.#over) return
    const known = this.#view
    const { version, value, sentAt, cameAt } = answer
    // The store's time was read in between: the later moment here makes no open time end early.
    const ahead = answer.now - cameAt
    if (known !== undefined && version < known.version && !authoritative && !this.#isLost(cameAt)) {
      this.#view = { ...known, askedAt: sentAt }
      return
    }
    this.#olderAt = undefined
    this.#unsure = false
    const record = value === undefined ? CLEAN : this.#decoded(value)
    this.#view = { version, record, ahead, askedAt: sentAt }
    this.#seeLeases(record, cameAt)
    if (known === undefined || version !== known.version) {
      this.#follow(this.#view, known !== undefined && version < known.version)
    }
    this.#plan()
  }

  #seeLeases({ leases }: FleetRecord, now: number): void {
    const before = new Map(this.#lentSince)
    this.#lentSince.clear()
    for (const { token } of leases) this.#lentSince.set(token, before.get(token) ?? now)
  }

  #decoded(value: string): FleetRecord {
    const record = decode(value)
    if (record === undefined) this.#link.home.onFault('read', this.#circuit.key, 'a record that is none')
    return record ?? CLEAN
  }

  /** Seen again a refresh later, an older record is what there is: the store lost the newer one. */
  #isLost(now: number): boolean {
    if (this.#olderAt === undefined) this.#olderAt = now
    return now - this.#olderAt >= this.#link.terms.refresh
  }

  #follow(view: View, lost: boolean): void {
    const { record } = view
    this.#followHolds(record)
    const before = this.#epoch
    if (!lost && record.epoch === before) return
    // What it closed itself it has been living with since: nothing to forget.
    const closedItself = this.#closing && !record.open
    this.#epoch = record.epoch
    this.#seenAt = view.askedAt
    this.#closing = false
    this.#probes.clear()
    this.#lease = undefined
    if (record.open) this.#followOpen(view)
    else if (before === undefined || closedItself) return
    else if (lost || record.epoch < before || this.#isNews(view)) this.#tellAgain()
    else this.#followClosed()
  }

  #followOpen(view: View): void {
    const circuit = this.#circuit
    this.#duties = this.#duties.filter(({ evidence }) => !evidence)
    this.#good = circuit.good()
    // What has just failed in a row speaks for it.
    this.#bad = circuit.bad() - circuit.streak()
    const alone = this.#link.terms.quorum === 0 && !view.record.byHand && circuit.closed()
    if (alone && !this.#corroborated) return
    circuit.followOpen(this.#until(view), alone ? 'corroborated' : 'fleet-opened')
    this.#drawLeaseFrom(this.#link.home.time.thawed())
  }

  /** What was seen after the fleet closed is evidence of this epoch. */
  #isNews({ record, ahead }: View): boolean {
    return this.#circuit.streak() > 0 && this.#circuit.streakSince() > record.at - ahead
  }

  #followClosed(): void {
    this.#duties = this.#duties.filter(({ evidence }) => !evidence)
    this.#circuit.followClosed()
  }

  /** The store does not hold what this instance knows. */
  #tellAgain(): void {
    const told = this.#duties.some(({ evidence }) => evidence)
    if (!this.#circuit.closed() && !told) this.opened(this.#link.home.time.thawed(), 0)
  }

  #followHolds({ holds }: FleetRecord): void {
    for (const [id, kept] of this.#holds) {
      const there = holds.some((hold) => hold.id === id)
      if (there) kept.known = true
      else if (kept.known) {
        this.#holds.delete(id)
        kept.letGo()
      }
    }
    for (const id of this.#released) if (!holds.some((hold) => hold.id === id)) this.#released.delete(id)
    for (const { id, kind, reason } of holds) {
      if (this.#holds.has(id) || this.#released.has(id)) continue
      this.#holds.set(id, { letGo: this.#circuit.followHold(kind, reason), own: false, known: true })
    }
  }
}
