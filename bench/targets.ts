// What must be reached, and the verdict on what was measured.

/** One thing measured. A ratio is `x`; the interval is the bootstrap 95 % one, where there is one. */
export interface Figure {
  readonly name: string
  readonly unit: 'x' | 'ns' | 'us' | 'ms' | 'B' | 'timers' | 'requests'
  readonly value: number
  readonly low?: number
  readonly high?: number
}

/** What a figure must be. */
export interface Target {
  readonly section: string
  readonly figure: string
  readonly atMost?: number
  readonly atLeast?: number
  /** The figure that would be 1 in silence (a subject against itself), and the band that its interval must keep to. */
  readonly control?: Control
}

interface Control {
  readonly figure: string
  readonly from: number
  readonly to: number
}

/** `shown`: without a target. `noisy`: measured, but its control is out of its band. */
type Verdict = 'met' | 'missed' | 'noisy' | 'shown'

export interface Row {
  readonly section: string
  readonly figure: Figure
  readonly target?: Target
  readonly verdict: Verdict
}

const again = (subject: string): Control => ({ figure: `${subject} again / ${subject}`, from: 0.9, to: 1.1 })
const CALL = again('bare')
const REQUESTS = { from: 0.98, to: 1.02 }

function costOf(client: string): Target[] {
  const target = (what: string, limit: object): Target => ({
    section: 'clients',
    figure: `${client} guarded / bare, ${what}`,
    ...limit,
    control: { figure: `${client} again / bare, ${what}`, ...REQUESTS },
  })
  return [target('CPU', { atMost: 1.05 }), target('throughput', { atLeast: 0.95 })]
}

/** What watching may add to a call, and what is left of it once nobody watches. */
const watchedCost = (call: string): Target[] =>
  ['otel', 'prometheus', 'log', 'cloudwatch', 'all four', 'taken away'].map((attached) => ({
    section: 'telemetry',
    figure: `${call}, ${attached} / none`,
    atMost: 1.05,
    control: { figure: `${call}, none again / none`, from: 0.95, to: 1.05 },
  }))

export const TARGETS: readonly Target[] = [
  { section: 'clock', figure: 'circuit.admit + settle / clock', atMost: 1.25, control: again('clock') },
  { section: 'bytes', figure: 'circuit.admit + settle', atMost: 0 },
  { section: 'bytes', figure: 'board.attempt + settle, beyond one object', atMost: 0 },
  { section: 'bytes', figure: 'board.run', atMost: 400 },
  { section: 'closed', figure: 'board.run / bare', atMost: 3, control: CALL },
  { section: 'closed', figure: 'board.run / cockatiel Consecutive', atMost: 0.8, control: CALL },
  { section: 'closed', figure: 'board.run / cockatiel Sampling', atMost: 0.65, control: CALL },
  { section: 'closed', figure: 'board.run / opossum', atMost: 0.2, control: CALL },
  { section: 'failing', figure: 'board.run after 100,000 successes / none', atMost: 1.5, control: CALL },
  { section: 'refused', figure: 'board.run / bare', atMost: 1.8, control: CALL },
  { section: 'refused', figure: 'board.run / the best peer', atMost: 0.35, control: CALL },
  { section: 'memory', figure: 'fuseboard, idle', atMost: 400 },
  { section: 'memory', figure: 'fuseboard, used', atMost: 800 },
  { section: 'memory', figure: 'fuseboard, timers', atMost: 0 },
  {
    section: 'undici',
    figure: 'guarded / bare, CPU',
    atMost: 1.035,
    control: { figure: 'bare again / bare, CPU', ...REQUESTS },
  },
  {
    section: 'undici',
    figure: 'guarded / bare, throughput',
    atLeast: 0.97,
    control: { figure: 'bare again / bare, throughput', ...REQUESTS },
  },
  ...['guardFetch', 'axios', 'ky', 'got'].flatMap(costOf),
  { section: 'outage', figure: 'guarded, healthy completed / control', atLeast: 0.99 },
  { section: 'outage', figure: 'guarded, healthy p99 / control', atMost: 2 },
  { section: 'outage', figure: 'guarded, requests beyond what may reach it', atMost: 0 },
  { section: 'replies', figure: 'a store that hangs is a miss within', atMost: 150 },
  ...['board.run', 'board.attempt + settle'].flatMap(watchedCost),
]

/** The verdicts on the figures of a section. A target whose figure is not there is missed. */
export function judge(section: string, figures: readonly Figure[], targets: readonly Target[] = TARGETS): Row[] {
  const asked = targets.filter((target) => target.section === section)
  const rows = figures.map((figure): Row => {
    const target = asked.find((target) => target.figure === figure.name)
    return target
      ? { section, figure, target, verdict: verdictOn(figure, target, figures) }
      : { section, figure, verdict: 'shown' }
  })
  for (const target of asked) {
    if (rows.some((row) => row.target === target)) continue
    rows.push({ section, figure: { name: target.figure, unit: 'x', value: NaN }, target, verdict: 'missed' })
  }
  return rows
}

function verdictOn(figure: Figure, target: Target, figures: readonly Figure[]): Verdict {
  if (target.control && !isCalm(target.control, figures)) return 'noisy'
  // Written so that NaN is a miss.
  const reached = figure.value <= (target.atMost ?? Infinity) && figure.value >= (target.atLeast ?? -Infinity)
  return reached ? 'met' : 'missed'
}

function isCalm(control: Control, figures: readonly Figure[]): boolean {
  const figure = figures.find(({ name }) => name === control.figure)
  return (
    figure?.low !== undefined && figure.high !== undefined && figure.low >= control.from && figure.high <= control.to
  )
}

/** Whether nothing of this would be better for another try. */
export function isSettled(rows: readonly Row[]): boolean {
  return rows.every(({ verdict }) => verdict === 'met' || verdict === 'shown')
}

/** The better of two tries, row by row: noise only ever makes a target look missed. Without a target, the surer one. */
export function best(one: readonly Row[], other: readonly Row[]): Row[] {
  return one.map((row, i) => {
    const rival = other[i]!
    return RANK[rival.verdict] > RANK[row.verdict] || (rival.verdict === row.verdict && isCloser(rival, row))
      ? rival
      : row
  })
}

const RANK: Record<Verdict, number> = { shown: 0, noisy: 0, missed: 1, met: 2 }

function isCloser({ figure, target }: Row, than: Row): boolean {
  if (target === undefined) return spread(figure) < spread(than.figure)
  return target.atLeast === undefined ? figure.value < than.figure.value : figure.value > than.figure.value
}

const spread = ({ low = 0, high = 0 }: Figure): number => high - low

/** 1 where a target is missed, else 2 where noise left one without a verdict, else 0. */
export function exitCode(rows: readonly Row[]): 0 | 1 | 2 {
  if (rows.some(({ verdict }) => verdict === 'missed')) return 1
  return rows.some(({ verdict }) => verdict === 'noisy') ? 2 : 0
}
