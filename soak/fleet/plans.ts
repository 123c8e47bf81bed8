// What the fleet is put through, and what must come of it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Figures } from './figures.ts'
import type { Mode } from './messages.ts'
import type { Plan } from './run.ts'

/** A bound that a figure of a run must keep, beside the run that shares nothing. */
interface Bound {
  readonly what: string
  readonly holds: (figures: Figures, alone: Figures) => boolean
}

export interface Trial {
  readonly plan: Plan
  readonly bounds: readonly Bound[]
}

const REFRESH = 500
/** Timers of a busy machine are late by about that. */
const LATE = 100

const redis = (name: string, more: Partial<Mode> = {}): Mode => ({
  name,
  store: 'redis',
  trust: 'corroborate',
  reads: 'polling',
  push: false,
  refresh: REFRESH,
  wait: 100,
  ...more,
})

const eight = (mode: Mode, more: Partial<Plan> = {}): Plan => ({ mode, processes: 8, instances: 10, rate: 5, ...more })
// 200 operations a second are all that dynalite does, so there are fewer.
const fewer = (mode: Mode, more: Partial<Plan> = {}): Plan => ({
  mode,
  processes: 8,
  instances: 5,
  rate: 2.5,
  ...more,
})

export const ALONE: Plan = eight({ ...redis('local only'), store: undefined })

const unhurt: readonly Bound[] = [
  { what: 'no error but refusals and the service’s own', holds: ({ errors }) => errors.length === 0 },
  { what: 'all closed after the service came back', holds: ({ recovered }) => recovered !== undefined },
  { what: 'at least 99 % of the calls that were due', holds: ({ kept }) => kept >= 0.99 },
]
// Beside a run of its own: of two on a machine with two cores one is always the luckier.
const quick: readonly Bound[] = [
  {
    what: 'admission p50 at most 10 % or 20 µs above local only',
    holds: ({ p50 }, alone) => near(p50, alone.p50, 0.02),
  },
  { what: 'admission p99 at most 10 % or 1 ms above local only', holds: ({ p99 }, alone) => near(p99, alone.p99, 1) },
]
const oneProbe: Bound = { what: 'one probe at a time', holds: ({ probesAtATime }) => probesAtATime <= 1 }
const together = (ms: number): Bound => ({
  what: `all open within ${ms} ms of the first`,
  holds: ({ together }) => together !== undefined && together <= ms,
})
const atMost = (what: string, most: number, of: (figures: Figures) => number): Bound => ({
  what: `${what} at most ${most}`,
  holds: (figures) => of(figures) <= most,
})

/** Killed, and back empty after 3 s. */
const KILLED: NonNullable<Plan['happens']> = {
  after: 2_000,
  async to(store) {
    await store.kill()
    await sleep(3_000)
    await store.begin()
  },
}

export const TRIALS: readonly Trial[] = [
  {
    plan: eight(redis('Redis, push, follow', { push: true, trust: 'follow' })),
    bounds: [
      ...unhurt,
      ...quick,
      oneProbe,
      together(50),
      atMost('commands an instance and second', 0.11, (f) => f.commands),
    ],
  },
  {
    plan: eight(redis('Redis, push, corroborate', { push: true })),
    bounds: [
      ...unhurt,
      ...quick,
      oneProbe,
      atMost('failing calls an instance after the first opening', 2, (f) => f.leaked),
    ],
  },
  {
    plan: eight(redis('Redis, poll, follow', { trust: 'follow' })),
    bounds: [
      ...unhurt,
      ...quick,
      oneProbe,
      together(2 * REFRESH + LATE),
      atMost('commands an instance and second', 1_000 / REFRESH + 0.01, (f) => f.commands),
    ],
  },
  {
    plan: eight(redis('Redis, suspicion', { reads: 'suspicion' })),
    bounds: [...unhurt, ...quick, oneProbe, atMost('commands while the service is well', 0, (f) => f.commands)],
  },
  {
    plan: eight(redis('Redis, push, 20 ms more', { push: true, trust: 'follow' }), { latency: 20 }),
    bounds: [...unhurt, ...quick, oneProbe, together(50 + 20 + 20)],
  },
  {
    plan: eight(redis('Redis killed, back empty', { push: true, trust: 'follow' }), {
      happens: KILLED,
    }),
    bounds: [...unhurt, atMost('ms that a call waited', 100 + LATE, (f) => f.longest)],
  },
  {
    plan: eight(redis('Redis frozen for 3 s', { trust: 'follow' }), {
      happens: {
        after: 2_000,
        async to(store) {
          store.freeze()
          await sleep(3_000)
          store.thaw()
        },
      },
    }),
    bounds: [...unhurt, atMost('ms that a call waited', 100 + LATE, (f) => f.longest)],
  },
  {
    plan: eight(redis('Redis emptied', { trust: 'follow' }), {
      happens: { after: 2_000, to: (store) => store.empty() },
    }),
    bounds: [...unhurt, together(2 * REFRESH + LATE)],
  },
  {
    plan: fewer({ ...redis('DynamoDB, suspicion'), store: 'dynamodb', reads: 'suspicion', refresh: 2_000, wait: 500 }),
    bounds: unhurt,
  },
  {
    plan: fewer({ ...redis('DynamoDB, poll, follow'), store: 'dynamodb', trust: 'follow', refresh: 2_000, wait: 500 }),
    bounds: unhurt,
  },
  {
    plan: fewer(
      { ...redis('DynamoDB killed, back empty'), store: 'dynamodb', trust: 'follow', refresh: 2_000, wait: 500 },
      {
        happens: KILLED,
      },
    ),
    bounds: unhurt,
  },
]

const near = (one: number, other: number, slack: number): boolean => one <= Math.max(other * 1.1, other + slack)
