// The cost of one call: its time against a bare one and against peers, and its bytes.
import { bytesPerCall, shallowSize } from './bytes.ts'
import type { Ending, Subject } from './loops.ts'
import { paired, type Times } from './paired.ts'
import type { Estimate } from './stats.ts'
import { attempts, clocks, closed, failing, refused } from './subjects.ts'
import type { Figure } from './targets.ts'

const AFTER = ' after 100,000 successes'

export async function clock(rounds: number): Promise<Figure[]> {
  const times = await paired(clocks(), 'returns', rounds)
  return [quiet(times, 'clock'), ratio(times, 'clock again', 'clock'), ratio(times, 'circuit.admit + settle', 'clock')]
}

export async function closedCall(rounds: number): Promise<Figure[]> {
  const subjects = closed()
  const times = await timed(subjects, 'resolves', rounds)
  const peers = ['cockatiel Consecutive', 'cockatiel Sampling', 'opossum', 'opossum lean']
  return [
    quiet(times, 'bare'),
    ...against(times, 'bare', subjects),
    ...peers.map((peer) => ratio(times, 'board.run', peer)),
  ]
}

export async function failingCall(rounds: number): Promise<Figure[]> {
  const subjects = await failing()
  const times = await timed(subjects, 'rejects', rounds)
  const busy = subjects.filter(({ name }) => name.endsWith(AFTER)).map(({ name }) => name)
  return [
    quiet(times, 'bare'),
    ...against(times, 'bare', subjects),
    ...busy.map((name) => ratio(times, name, name.slice(0, -AFTER.length), `${name} / none`)),
  ]
}

export async function refusal(rounds: number): Promise<Figure[]> {
  const subjects = await refused()
  const times = await timed(subjects, 'rejects', rounds)
  const peers = ['cockatiel', 'opossum'].map((peer) => ratio(times, 'board.run', peer))
  const nearest = peers.reduce((one, other) => (one.value > other.value ? one : other))
  return [
    quiet(times, 'bare'),
    ...against(times, 'bare', subjects),
    ...peers,
    { ...nearest, name: 'board.run / the best peer' },
  ]
}

export async function bytes(): Promise<Figure[]> {
  const [pair] = clocks().slice(-1)
  const attempt = attempts()
  const figures = [
    size('circuit.admit + settle', await bytesPerCall(pair!, 'returns')),
    size('board.attempt + settle', await bytesPerCall(attempt, 'returns')),
  ]
  figures.push(size('board.attempt + settle, beyond one object', figures[1]!.value - (await shallowSize(attempt.last))))
  for (const subject of closed()) figures.push(size(subject.name, await bytesPerCall(subject, 'resolves')))
  for (const subject of await refused()) {
    figures.push(size(`${subject.name}, refused`, await bytesPerCall(subject, 'rejects')))
  }
  return figures
}

/** Times subjects, and makes sure that their calls ended as they should, to the last: a circuit that opened would be cheap. */
async function timed(subjects: readonly Subject[], ending: Ending, rounds: number): Promise<Times> {
  const expected = await ends(subjects)
  const times = await paired(subjects, ending, rounds)
  const found = await ends(subjects)
  for (const [i, { name }] of subjects.entries()) {
    if (found[i] !== expected[i]) throw new Error(`${name} ended with ${expected[i]}, and later with ${found[i]}`)
  }
  return times
}

async function ends(subjects: readonly Subject[]): Promise<string[]> {
  const ends = await Promise.allSettled(subjects.map(async ({ call }) => call()))
  return ends.map((end) => (end.status === 'fulfilled' ? String(end.value) : String(end.reason)))
}

function against(times: Times, base: string, subjects: readonly Subject[]): Figure[] {
  return subjects.filter(({ name }) => name !== base).map(({ name }) => ratio(times, name, base))
}

function ratio(times: Times, of: string, to: string, name: string = `${of} / ${to}`): Figure & Estimate {
  return { name, unit: 'x', ...times.ratio(of, to) }
}

function quiet(times: Times, name: string): Figure {
  return { name, unit: 'ns', value: times.quiet(name) }
}

function size(name: string, value: number): Figure {
  return { name, unit: 'B', value }
}
