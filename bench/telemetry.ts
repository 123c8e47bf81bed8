// What it costs a call through a closed circuit that somebody looks: each exporter on a board of its own, against a board without.
import { createBoard, type Board } from '@fuseboard/core'
import { cloudwatch } from '@fuseboard/telemetry/cloudwatch'
import { log } from '@fuseboard/telemetry/log'
import { otel, type MeterLike } from '@fuseboard/telemetry/otel'
import { prometheusText } from '@fuseboard/telemetry/prometheus'
import type { Ending, Subject } from './loops.ts'
import { paired } from './paired.ts'
import type { Figure } from './targets.ts'

const KEY = 'api.example'
const NONE = 'none'
const AGAIN = 'none again'

// The SDK asks when it collects, never when a call is made.
const METER: MeterLike = {
  createObservableCounter: () => ({}),
  createObservableGauge: () => ({}),
  addBatchObservableCallback() {},
  removeBatchObservableCallback() {},
}
const silent = (): void => {}
const LOGGER = { debug: silent, info: silent, warn: silent, error: silent }

type Attach = (board: Board) => void

const EXPORTERS = {
  otel: (board) => void otel(board, { meter: METER }),
  prometheus: (board) => void prometheusText(board),
  log: (board) => void log(board, LOGGER),
  cloudwatch: (board) => void cloudwatch(board, { write: silent }),
} as const satisfies Record<string, Attach>

const attachAll: Attach = (board) => {
  for (const attach of Object.values(EXPORTERS)) attach(board)
}

/** All that can be taken away again, and has been. */
const takeAway: Attach = (board) => {
  otel(board, { meter: METER })()
  log(board, LOGGER)()
  cloudwatch(board, { write: silent }).stop()
}

/** On the board, in the order of the report. */
const ATTACHED: Readonly<Record<string, Attach>> = {
  [NONE]: silent,
  [AGAIN]: silent,
  ...EXPORTERS,
  'all four': attachAll,
  'taken away': takeAway,
}

export async function telemetry(rounds: number): Promise<Figure[]> {
  return [
    ...(await against('board.run', 'resolves', runs, rounds)),
    ...(await against(ATTEMPT, 'returns', attempts, rounds)),
  ]
}

const ATTEMPT = 'board.attempt + settle'

async function against(
  what: string,
  ending: Ending,
  call: (board: Board) => () => unknown,
  rounds: number,
): Promise<Figure[]> {
  const boards = Object.entries(ATTACHED).map(([name, attach]) => ({ name, board: boardWith(attach) }))
  const subjects: Subject[] = boards.map(({ name, board }) => ({ name, call: call(board) }))
  const times = await paired(subjects, ending, rounds)
  for (const { name, board } of boards) {
    const { state, counters } = board.circuit(KEY)
    if (state !== 'closed' || counters.successes === 0) throw new Error(`${what} with ${name} was no closed call`)
  }
  const others = boards.map(({ name }) => name).filter((name) => name !== NONE)
  return [
    { name: `${what}, ${NONE}`, unit: 'ns', value: times.quiet(NONE) },
    ...others.map((name): Figure => ({ name: `${what}, ${name} / ${NONE}`, unit: 'x', ...times.ratio(name, NONE) })),
  ]
}

function boardWith(attach: Attach): Board {
  const board = createBoard()
  board.circuit(KEY)
  attach(board)
  return board
}

const works = async (): Promise<number> => 42

const runs = (board: Board) => () => board.run(KEY, works)

function attempts(board: Board): () => number {
  const request = { method: 'GET', url: `https://${KEY}/`, origin: `https://${KEY}` }
  const answer = { status: 200 }
  // The last ones are kept, or the compiler would make none at all.
  const last: object[] = Array.from({ length: 64 }, () => request)
  let next = 0
  return () => {
    const attempt = board.attempt(request)
    attempt.settle(answer)
    last[next++ & 63] = attempt
    return next
  }
}
