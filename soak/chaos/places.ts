// What no circuit may hold once no call is under way: places in use, places to probe, and calls that it takes for unanswered.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Board, Circuit } from '@fuseboard/core'

/** How many may probe at a time by the policy that {@link placesOf} asks under. */
const PERMITS = 3
/** All open times and pauses are over after this. */
const LONGEST = 500

/** @returns the places that are in use, by circuit and kind */
export async function placesOf(board: Board): Promise<readonly string[]> {
  const circuits = [...board.circuits()]
  const wrong: string[] = []
  for (const { key, counters } of circuits) {
    if (counters.inFlight !== 0) wrong.push(`${key} has ${counters.inFlight} calls under way`)
  }
  await sleep(LONGEST)
  for (const circuit of circuits) wrong.push(...probePlaces(board, circuit), ...overdue(board, circuit))
  return wrong
}

/** A circuit that is open, and was half-open before, has to let in as many as may probe. */
function probePlaces(board: Board, circuit: Circuit): readonly string[] {
  if (circuit.state === 'closed' || circuit.mode !== 'on') return []
  // Half-open does not end by itself, and no patch that leaves what it sees by alone begins a new era.
  board.configure(circuit.key, { probes: { permits: PERMITS, need: PERMITS, within: '30s' } })
  const { state } = circuit
  const asker = {
    method: 'GET',
    host: circuit.key,
    request: { method: 'GET', url: '', host: '', headers: [], credentials: undefined },
  }
  const tokens = Array.from({ length: PERMITS }, () => circuit.admit(asker))
  for (const token of tokens) if (token >= 0) circuit.settle(token, 'ignored')
  const taken = tokens.filter((token) => token < 0).length
  return taken === 0 ? [] : [`${circuit.key} is ${state} and has ${taken} of ${PERMITS} places to probe in use`]
}

/** A circuit tells in the evidence of a change which calls it takes for unanswered. */
function overdue(board: Board, circuit: Circuit): readonly string[] {
  let found = 0
  const undo = board.on('transition', ({ evidence }) => (found = Math.max(found, evidence.overdue)))
  circuit.trip()
  undo()
  circuit.reset()
  return found === 0 ? [] : [`${circuit.key} takes ${found} calls for unanswered`]
}
