// What is counted: the window rolls by the clock, is empty after recovery, and holds answered calls only.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createBoard, reply, type BoardOptions } from './index.ts'

function hostOf(options: BoardOptions = {}) {
  const clock = { ms: 1_000_000, now: (): number => clock.ms }
  const board = createBoard({ consecutiveFailures: false, openFor: '10s', ...options, clock })
  const circuit = board.circuit('host.test')
  const begin = () => board.attempt({ method: 'GET', url: 'https://host.test/x' })
  const settle = (...statuses: number[]): void => {
    for (const status of statuses) begin().settle({ status })
  }
  return { clock, board, circuit, begin, settle }
}

test('#9 failures, an idle hour and one more failure leave it closed', () => {
  const { clock, circuit, settle } = hostOf({ minimumCalls: 5 })
  settle(503, 503, 503, 503)
  clock.ms += 3_600_000
  settle(503)
  expect(circuit.state).toBe('closed')
  settle(503, 503, 503)
  expect(circuit.state).toBe('closed')
  settle(503)
  expect(circuit.state).toBe('open')
})

test('#9 however the calls are spaced, it opens where a plain list of the last ten slots would', () => {
  const step = fc.record({ gap: fc.oneof(fc.nat(900), fc.nat(25_000)), failed: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const { clock, circuit, settle } = hostOf({ window: '10s', minimumCalls: 4, failureRate: 0.6 })
      const calls: { slot: number; failed: boolean }[] = []
      for (const { gap, failed } of steps) {
        clock.ms += gap
        settle(failed ? 500 : 200)
        const slot = Math.floor(clock.ms / 1_000)
        calls.push({ slot, failed })
        const kept = calls.filter((call) => call.slot > slot - 10)
        const share = kept.filter((call) => call.failed).length / kept.length
        expect(circuit.state).toBe(kept.length >= 4 && share >= 0.6 ? 'open' : 'closed')
        if (circuit.state === 'open') return
      }
    }),
  )
})

test.each([
  ['of time', { window: '30s' }],
  ['of calls', { window: { calls: 12 } }],
] as const)('#10 a window %s is empty after recovery: one failure does not open it again', (_, options) => {
  const { clock, circuit, settle } = hostOf(options)
  settle(...Array.from({ length: 10 }, () => 503))
  expect(circuit.state).toBe('open')
  clock.ms += 10_000
  settle(200)
  settle(...Array.from({ length: 9 }, () => 503))
  expect(circuit.state).toBe('closed')
  settle(503)
  expect(circuit.state).toBe('open')
})

test('#10 the streak is over after recovery, too', () => {
  const { clock, circuit, settle } = hostOf({ consecutiveFailures: 3 })
  settle(503, 503, 503)
  clock.ms += 10_000
  settle(200, 503, 503)
  expect(circuit.state).toBe('closed')
  settle(503)
  expect(circuit.state).toBe('open')
})

test('#11 refusals and the replies that stood in for them are no calls: ten of ten failed, not ten of a hundred', async () => {
  const { clock, circuit, begin, settle } = hostOf({ rateLimit: 'pause', fallback: reply({ json: {} }) })
  settle(503, 503, 503, 503, 503)
  begin().settle({ status: 429, headers: [['retry-after', '2']] })
  for (let i = 0; i < 90; i++) {
    const refused = begin()
    expect(refused.refusal?.reason).toBe('paused')
    expect((await refused.standIn())?.mark.source).toBe('made')
    refused.settle({ status: 200 })
  }
  clock.ms += 2_000
  settle(503, 503, 503, 503)
  expect(circuit.state).toBe('closed')
  settle(503)
  expect(circuit.state).toBe('open')
  expect(circuit.counters).toMatchObject({ successes: 0, failures: 10, refused: 90, fallbacks: 90 })
})

test('#11 ignored calls do not thin the failures out, nor make up the minimum', () => {
  const { circuit, begin, settle } = hostOf()
  const aborted = { error: new DOMException('left', 'AbortError') }
  settle(503, 503, 503, 503, 503)
  for (let i = 0; i < 90; i++) begin().settle(i % 2 === 0 ? aborted : { status: 429 })
  expect(circuit.state).toBe('closed')
  settle(503, 503, 503, 503, 503)
  expect(circuit.state).toBe('open')
})

test('#12 the rate is looked at on a success, too: failed, failed, well opens at a minimum of three calls', () => {
  const { circuit, settle } = hostOf({ minimumCalls: 3, failureRate: 0.66 })
  settle(503, 503)
  expect(circuit.state).toBe('closed')
  settle(200)
  expect(circuit.state).toBe('open')
})

test('#12 the share of slow calls is looked at on a quick one, too', () => {
  const { clock, circuit, begin } = hostOf({ minimumCalls: 3, slowAfter: '1s', slowRate: 0.66 })
  for (const ms of [1_500, 1_500, 100]) {
    expect(circuit.state).toBe('closed')
    const attempt = begin()
    clock.ms += ms
    attempt.settle({ status: 200 })
  }
  expect(circuit.state).toBe('open')
})
