// The program as its users run it: a process, its output, its exit status.
import { describe, expect, test } from 'vitest'
import { start, type Run } from '../start.ts'
import type { StoryEvent } from './events.ts'
import { troubles } from './outages.ts'

const order = (seed?: number): string[] => troubles(seed).map(({ outage }) => outage)
const run = (...args: string[]): Promise<Run> => start(new URL('main.ts', import.meta.url), args).run

function eventsOf({ stdout }: Run): (StoryEvent & { at: number })[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StoryEvent & { at: number })
}

type Named<Name extends StoryEvent['event']> = Extract<StoryEvent, { event: Name }>

function named<Name extends StoryEvent['event']>(events: readonly StoryEvent[], name: Name): Named<Name>[] {
  return events.filter((event): event is Named<Name> => event.event === name)
}

describe('the story', () => {
  test.concurrent.each([
    ['1', 'all', ['axios', 'ky', 'got', 'request', 'guardFetch', 'fetch']],
    ['4', 'fetch', ['guardFetch', 'fetch']],
    ['2', 'axios', ['axios']],
    ['3', 'got', ['got']],
    ['5', 'ky', ['ky']],
  ] as const)(
    'keeps its promises with the outages shuffled by seed %s, read with %s',
    async (seed, choice, clients) => {
      const played = await run('--json', '--scale', '20', '--seed', seed, '--client', choice)
      expect(played).toMatchObject({ status: 0, stderr: '' })

      const events = eventsOf(played)
      const promises = named(events, 'promise')
      expect(promises).toHaveLength(6)
      expect(promises.filter(({ kept }) => !kept)).toEqual([])

      const outages = named(events, 'service').flatMap(({ outage }) => outage ?? [])
      expect(outages).toEqual(order(Number(seed)))

      const calls = named(events, 'call')
      const from = (source: string): number => calls.filter((call) => call.source === source).length
      const [summary] = named(events, 'summary')
      expect(summary!.guarded).toMatchObject({
        calls: calls.length,
        network: from('network'),
        stored: from('stored'),
        made: from('made'),
        refused: from('refused'),
        failed: 0,
      })
      expect(Math.min(from('network'), from('stored'), from('made'), from('refused'))).toBeGreaterThan(0)
      expect(summary!.unguarded.calls).toBe(calls.length)
      expect(summary!.outages.map(({ outage }) => outage)).toEqual(outages)
      expect(summary!.guarded.reachedDead).toBeLessThan(summary!.unguarded.reachedDead)
      expect(summary!.savedMs).toBeGreaterThan(0)
      expect(new Set(calls.map(({ client }) => client))).toEqual(new Set(clients))
      expect(events.at(-1)).toMatchObject({ event: 'end', status: 0 })
    },
    60_000,
  )

  test('shuffles all of its outages, the same way for the same seed', () => {
    expect(order(7)).toEqual(order(7))
    expect(order(7).toSorted()).toEqual(order().toSorted())
    expect(new Set(Array.from({ length: 20 }, (_, seed) => order(seed).join())).size).toBeGreaterThan(5)
  })
})

test.concurrent.each([
  [['--scale', 'fast'], '--scale must be a whole number from 1 to 40, got "fast"'],
  [['--scale', '0'], '--scale must be a whole number from 1 to 40, got "0"'],
  [['--client', 'superagent'], '--client must be one of all, axios, ky, got, undici, fetch, got "superagent"'],
  [['--seed', '1.5'], '--seed must be a whole number'],
  [['--verse', 'x'], "Unknown option '--verse'"],
  [['psalm'], "Unexpected argument 'psalm'"],
  [['--live', '--scale', '1'], '--live has no scale and no seed'],
  [['--fleet', '1'], '--fleet must be a whole number from 2 to 16, got "1"'],
  [['--fleet', '4', '--json'], '--fleet stands alone'],
])('%s is a usage error', async (args, message) => {
  const { status, stdout, stderr } = await run(...args)
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain('usage: node examples/bible/main.ts')
})

test.concurrent('--help says what there is', async () => {
  const { status, stdout } = await run('--help')
  expect(status).toBe(0)
  for (const option of ['--client', '--scale', '--seed', '--live', '--fleet', '--json'])
    expect(stdout).toContain(option)
})

test.concurrent('--fleet keeps its promises over several processes', async () => {
  const { status, stdout, stderr } = await run('--fleet', '3')
  expect(stderr).toBe('')
  expect(stdout).toContain('the fleet found it down')
  expect(stdout).toContain('the fleet found that it answers again')
  expect(stdout.match(/^kept /gm)).toHaveLength(5)
  expect(status).toBe(0)
}, 60_000)
