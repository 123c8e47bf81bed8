// Three instances and the store between them, as values: one action makes the next world out of one.
import { CLEAN, type FleetRecord } from '../src/fleet-record.ts'
import type { FleetEvent, step } from '../src/fleet-step.ts'
import { follow, newFacts, type Breach, type Facts } from './fleet-facts.ts'

/** What makes the next record: the sources', or a copy's. */
export type Reducer = typeof step

/** What an instance may have to say. */
export type Saying = keyof typeof EVENTS

/** One thing that happens. Instances are numbered. */
export type FleetAction =
  | { readonly do: 'wait'; readonly ms: number }
  /** Its own clock steps, forward or back, and the store's does not. */
  | { readonly do: 'step'; readonly of: number; readonly ms: number }
  | { readonly do: 'read' | 'die'; readonly of: number }
  /** By the view it has, or after it looked; and perhaps the answer to its write is lost. */
  | { readonly do: 'say'; readonly of: number; readonly what: Saying; readonly looks: boolean; readonly lost: boolean }

/** What the instances are told to want. Milliseconds. */
export interface FleetRules {
  readonly quorum: number
  /** How long a vote is good for. */
  readonly window: number
  readonly permits: number
  readonly need: number
  readonly lease: number
  readonly open: { readonly from: number; readonly to: number; readonly factor: number; readonly atLeast?: number }
  /** For how long a hand opens. */
  readonly byHand: number
  /** By how much an instance's clock may step. */
  readonly steps: readonly number[]
}

/** What the store was last seen to hold. */
interface View {
  readonly version: number
  readonly record: FleetRecord
  /** The store's time of then. */
  readonly now: number
  /** How long ago that was, by the instance's own clock. */
  readonly age: number
}

/** A probe's place: asked for, had, or to be settled by a result whose acknowledgement was lost. */
interface Probe {
  readonly token: string
  readonly epoch: number
  readonly stage: 'asked' | 'had' | 'good' | 'bad' | 'nothing'
}

export interface Instance {
  readonly view: View | undefined
  readonly probe: Probe | undefined
  /** How many tokens it gave out. */
  readonly tokens: number
  readonly hold: 'none' | 'putting' | 'on' | 'releasing' | 'gone'
}

export interface World {
  /** The store's time. */
  readonly now: number
  readonly version: number
  readonly record: FleetRecord
  readonly facts: Facts
  readonly instances: readonly Instance[]
}

const START = 1_000_000
/** A write that comes later than so long after it was thought of is void. */
const TIMEOUT = 1_000

export function newWorld(instances: number): World {
  const instance: Instance = { view: undefined, probe: undefined, tokens: 0, hold: 'none' }
  return {
    now: START,
    version: 0,
    record: deepFreeze(CLEAN),
    facts: newFacts(),
    instances: Array.from({ length: instances }, () => instance),
  }
}

/** What happens next, or the property that it broke. */
export function happen(world: World, action: FleetAction, step: Reducer, rules: FleetRules): World | Breach {
  switch (action.do) {
    case 'wait':
      return {
        ...world,
        now: world.now + action.ms,
        instances: world.instances.map((instance) => aged(instance, action.ms, rules)),
      }
    case 'step':
      return changed(world, action.of, (instance) => aged(instance, action.ms, rules))
    case 'read':
      return changed(world, action.of, (instance) => ({ ...instance, view: look(world) }))
    case 'die':
      return changed(world, action.of, (instance) => ({ ...instance, view: undefined, probe: undefined }))
    case 'say':
      return say(world, action, step, rules)
  }
}

/** Whether an instance may build upon its view: it reads again what looks older. */
export const isFresh = ({ view }: Instance): boolean => view !== undefined && view.age <= 0

/** The store's time, as an instance takes it to be: late if anything, since it was read after it asked. */
const thought = ({ now, age }: View): number => now + age

function say(
  world: World,
  { of, what, looks, lost }: Extract<FleetAction, { do: 'say' }>,
  step: Reducer,
  rules: FleetRules,
): World | Breach {
  const instance = world.instances[of] as Instance
  const view = looks ? look(world) : (instance.view as View)
  const event = EVENTS[what](rules, instance, view, of)
  const at = thought(view)
  const next = step(view.record, event, at)
  const told = {
    ...instance,
    view,
    tokens: instance.tokens + (what === 'lease' && instance.probe === undefined ? 1 : 0),
  }
  const current = view.version === world.version
  if (next === undefined) {
    const facts = current
      ? follow(world.facts, event, undefined, { at, now: world.now, permits: rules.permits })
      : world.facts
    if ('property' in facts) return facts
    const after = knows(told, what, event, view.record)
    const same = !looks && after.probe === instance.probe && after.hold === instance.hold
    return same ? world : changed({ ...world, facts }, of, () => after)
  }
  // As SharedStore.swap has it.
  if (!current || world.now > at + TIMEOUT) return changed(world, of, () => ({ ...told, view: look(world) }))
  const facts = follow(world.facts, event, next, { at, now: world.now, permits: rules.permits })
  if ('property' in facts) return facts
  const version = Math.max(world.version + 1, world.now)
  const written: World = { ...world, version, record: deepFreeze(next), facts }
  return changed(written, of, () =>
    lost
      ? { ...told, view: undefined, ...wonders(told, what, event) }
      : knows({ ...told, view: look(written) }, what, event, next),
  )
}

const EVENTS = {
  trip: (rules, _, { record }, of) => trip(rules, record.epoch, of),
  /** Evidence of the epoch before. */
  'old trip': (rules, _, { record }, of) => trip(rules, record.epoch - 1, of),
  lease: ({ lease, permits }, { probe, tokens }, _, of) => ({
    do: 'lease',
    token: probe?.token ?? `${of}-${tokens + 1}`,
    ms: lease,
    permits,
  }),
  good: (rules, { probe }) => settle(rules, probe as Probe, true),
  bad: (rules, { probe }) => settle(rules, probe as Probe, false),
  nothing: (rules, { probe }) => settle(rules, probe as Probe, undefined),
  /** A result of a probe that never had a place. */
  stray: (rules, _, { record }, of) => settle(rules, { token: `${of}-stray`, epoch: record.epoch }, false),
  open: ({ byHand }) => ({ do: 'open', ms: byHand }),
  reset: () => ({ do: 'reset' }),
  hold: (_rules, _instance, _view, of) => ({ do: 'hold', id: `${of}`, kind: 'isolated', reason: undefined }),
  release: (_rules, _instance, _view, of) => ({ do: 'release', id: `${of}` }),
} as const satisfies Record<string, (rules: FleetRules, instance: Instance, view: View, of: number) => FleetEvent>

const openTime = ({ open }: FleetRules) => ({ stretch: 1, atLeast: 0, ...open })

const trip = (rules: FleetRules, epoch: number, of: number): FleetEvent => ({
  do: 'trip',
  epoch,
  open: openTime(rules),
  by: `${of}`,
  quorum: rules.quorum,
  within: rules.window,
})

const settle = (
  rules: FleetRules,
  { token, epoch }: Pick<Probe, 'token' | 'epoch'>,
  ok: boolean | undefined,
): FleetEvent => ({
  do: 'settle',
  epoch,
  token,
  ok,
  need: rules.need,
  spare: Math.max(0, rules.permits - rules.need),
  open: openTime(rules),
})

/** What an instance takes from an answer. */
function knows(instance: Instance, what: Saying, event: FleetEvent, record: FleetRecord): Instance {
  switch (what) {
    case 'lease': {
      if (event.do !== 'lease') return instance
      const { token } = event
      const had = record.open && record.leases.some((lease) => lease.token === token)
      return { ...instance, probe: had ? { token, epoch: record.epoch, stage: 'had' } : undefined }
    }
    case 'good':
    case 'bad':
    case 'nothing':
      return { ...instance, probe: undefined }
    case 'hold':
      return { ...instance, hold: 'on' }
    case 'release':
      return { ...instance, hold: 'gone' }
    case 'trip':
    case 'old trip':
    case 'stray':
    case 'open':
    case 'reset':
      return instance
  }
}

/** What an instance has to say again, since no answer came. */
function wonders({ probe, hold }: Instance, what: Saying, event: FleetEvent): Pick<Instance, 'probe' | 'hold'> {
  if (event.do === 'lease') return { probe: { token: event.token, epoch: -1, stage: 'asked' }, hold }
  if (probe !== undefined && (what === 'good' || what === 'bad' || what === 'nothing'))
    return { probe: { ...probe, stage: what }, hold }
  if (what === 'hold') return { probe, hold: 'putting' }
  if (what === 'release') return { probe, hold: 'releasing' }
  return { probe, hold }
}

const look = ({ version, record, now }: World): View => ({ version, record, now, age: 0 })

// What looks so old that no step of the clock makes it look new is of no use.
function aged(instance: Instance, ms: number, { steps }: FleetRules): Instance {
  if (instance.view === undefined) return instance
  const age = instance.view.age + ms
  return { ...instance, view: age > -Math.min(0, ...steps) ? undefined : { ...instance.view, age } }
}

function changed(world: World, of: number, change: (instance: Instance) => Instance): World {
  const instances = world.instances.map((instance, i) => (i === of ? change(instance) : instance))
  return { ...world, instances }
}

// Whoever changes a record in place throws.
function deepFreeze(record: FleetRecord): FleetRecord {
  for (const part of Object.values(record)) {
    if (!Array.isArray(part)) continue
    for (const one of part) Object.freeze(one)
    Object.freeze(part)
  }
  return Object.freeze(record)
}

/** What makes a difference to come, times relative and instances without names: worlds of the same key are alike. */
export function keyOf(world: World, rules: FleetRules): string {
  const { record, now, instances } = world
  const { open, epoch, until, leases, votes, holds, trips, passed, failed } = record
  const ofTheDead = leases.filter(({ token }) => !instances.some(({ probe }) => probe?.token === token))
  const times = ofTheDead.map(({ until }) => left(until, now)).toSorted((a, b) => a - b)
  const state = `${open ? left(until, now) : 'closed'} ${Math.min(epoch, 2)} ${rules.open.factor === 1 ? 0 : trips}`
  const counts = `${passed.length} ${failed} ${votes.length} ${holds.length} ${times.join()}`
  return `${state} ${counts} ${instanceKeys(world).toSorted().join(' ')}`
}

/** What sets instances apart: those of the same key can take each other's place. */
export const instanceKeys = (world: World): string[] =>
  world.instances.map((instance, of) => instanceKey(instance, `${of}`, world))

// What is said by an old view is either not written or lost, and both are as if it died or read: only what the instance
// finds of its own there can make a difference.
function instanceKey({ view, probe, hold }: Instance, name: string, { record, now, version }: World): string {
  const held = record.holds.some(({ id }) => id === name)
  const own = `${ownKey(record, probe, name, now)}/${probe?.stage}/${hold}/${held}`
  if (view === undefined) return own
  if (view.version !== version) return `${own}/${ownKey(view.record, probe, name, now)}`
  return `${own}/${view.age},${thought(view) - now}`
}

/** What an instance finds of its own in a record. */
function ownKey({ epoch, passed, leases, votes }: FleetRecord, probe: Probe | undefined, name: string, now: number) {
  const vote = votes.find(({ by }) => by === name)
  const voted = vote && left(vote.at, now)
  if (probe === undefined) return `${voted}`
  const lease = leases.find(({ token }) => token === probe.token)
  return `${voted},${probe.epoch === epoch},${lease && left(lease.until, now)},${passed.includes(probe.token)}`
}

/** Nothing asks how long ago it was once it is longer ago than any time that counts. */
const left = (moment: number, now: number): number => Math.max(-FORGOTTEN, moment - now)
const FORGOTTEN = 4_000
