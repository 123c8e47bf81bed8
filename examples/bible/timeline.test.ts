// The timeline on paper: what it says, how wide, and in which order.
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { StoryEvent } from './events.ts'
import { Timeline } from './timeline.ts'

const CALL = { event: 'call', n: 1, client: 'guardFetch', asked: 'John 3:16 (KJV)', path: '/', tookMs: 2.4 } as const
const TEXT =
  'For God so loved the world, that he gave his only begotten Son, that whosoever believeth in him should not perish'

function shown(events: readonly StoryEvent[], columns?: number): string[] {
  const paper = Object.assign(new PassThrough({ encoding: 'utf8' }), { columns })
  const timeline = new Timeline(paper as never)
  for (const event of events) timeline.tell(event)
  return (paper.read() as string).trimEnd().split('\n')
}

const CALLS: readonly StoryEvent[] = [
  { ...CALL, source: 'network', status: 200, text: TEXT },
  { ...CALL, source: 'stored', status: 200, ageMs: 12_345, instead: '500', text: TEXT },
  { ...CALL, source: 'stored', status: 200, ageMs: 312_345, instead: 'TimeoutError', text: TEXT },
  { ...CALL, source: 'made', status: 200, instead: 'open', text: TEXT },
  { ...CALL, source: 'refused', instead: 'paused', waitMs: 1_760 },
  { ...CALL, source: 'failed', status: 500 },
]

test('says what was asked, where the answer came from, and what the call met', () => {
  expect(shown(CALLS, 96)).toEqual([
    '   0.0 s  guardFetch  John 3:16 (KJV)  ● network  in 2 ms          got 200    For God so loved…',
    '   0.0 s  guardFetch  John 3:16 (KJV)  ◆ stored   12.3 s ago       got 500    For God so loved…',
    '   0.0 s  guardFetch  John 3:16 (KJV)  ◆ stored   312.3 s ago      timed out  For God so loved…',
    '   0.0 s  guardFetch  John 3:16 (KJV)  ◇ made                      open       For God so loved…',
    '   0.0 s  guardFetch  John 3:16 (KJV)  ✕ refused  retry in 1.8 s   paused',
    '   0.0 s  guardFetch  John 3:16 (KJV)  ✖ failed                    got 500',
  ])
})

test.each([
  [undefined, 100],
  [40, 80],
  [90, 90],
  [300, 100],
])('with %s columns, none of its lines is longer than %i', (columns, most) => {
  const message =
    'bible-api open for 3 s: 3 of 3 calls failed in 610 ms (3x 500), and a few more words to make it too long for a line'
  const lines = shown(
    [
      ...CALLS,
      { event: 'transition', from: 'closed', to: 'open', reason: 'by-hand', message },
      { event: 'scene', title: 'Next' },
    ],
    columns,
  )
  expect(Math.max(...lines.map((line) => line.length))).toBe(most)
})

test('a circuit opens below the call that opened it', () => {
  const opened = {
    event: 'transition',
    from: 'closed',
    to: 'open',
    reason: 'failure-rate',
    message: 'open for 3 s',
  } as const
  const probing = {
    event: 'transition',
    from: 'open',
    to: 'half-open',
    reason: 'elapsed',
    message: 'half-open',
  } as const
  const signs = shown([opened, CALLS[1]!, probing, CALLS[0]!]).map((line) => line.slice(10, 11))
  expect(signs).toEqual(['g', '○', '◐', 'g'])
})
