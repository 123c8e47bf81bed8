// What a board tells on the channels of node:diagnostics_channel, and what it costs where nobody listens.
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { BoardEvents } from '@fuseboard/core'
import { afterEach, expect, test, vi } from 'vitest'
import { benchOf, makeTrouble, troubledBench } from '../test/troubled-board.ts'
import { diagnostics, type Channels, type DiagnosticsOptions } from './diagnostics.ts'

const NAMES = ['transition', 'refused', 'settled', 'fallback', 'store', 'warning'] as const

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Subscribes to channels; gives what is published on them. */
function hear(...names: readonly (keyof BoardEvents)[]) {
  const heard: [name: string, message: unknown][] = []
  for (const name of names) {
    const listener = (message: unknown): void => void heard.push([name, message])
    subscribe(`fuseboard:${name}`, listener)
    closers.push(() => void unsubscribe(`fuseboard:${name}`, listener))
  }
  return heard
}

/** Publishes what a board tells, and the events that it listens to. */
function publish(board: ReturnType<typeof benchOf>['board'], options?: DiagnosticsOptions): readonly string[] {
  const on = vi.spyOn(board, 'on')
  closers.push(diagnostics(board, options))
  const names = on.mock.calls.map(([name]) => name)
  on.mockRestore()
  return names
}

test('the events of the board are published as they are', async () => {
  const bench = troubledBench()
  const told: [string, unknown][] = []
  for (const name of NAMES) bench.board.on(name, (event: unknown) => told.push([name, event]))
  const heard = hear(...NAMES)
  publish(bench.board)
  await makeTrouble(bench)
  bench.board.warn('test', 'look here')
  expect(heard).toEqual(told)
  expect(new Set(heard.map(([name]) => name))).toEqual(new Set(NAMES))
  const message = heard.find(([name]) => name === 'transition')?.[1] as Channels['fuseboard:transition']
  expect(message.label).toBe('the "bad"\n\\one')
})

test('every call and every refusal are listened to only where somebody had subscribed, or is said to', () => {
  const rare = ['transition', 'fallback', 'store']
  expect(publish(benchOf().board)).toEqual(rare)
  expect(publish(benchOf().board, { settled: true, warning: true })).toEqual([...rare, 'settled', 'warning'])
  hear('settled', 'refused')
  expect(publish(benchOf().board)).toEqual([...rare, 'refused', 'settled'])
  expect(publish(benchOf().board, { settled: false })).toEqual([...rare, 'refused'])
})

test('a channel without a subscriber is not published on, and one that comes later is heard', () => {
  const { board } = benchOf()
  const published = vi.spyOn(channel('fuseboard:transition'), 'publish')
  publish(board)
  board.circuit('a.test').trip()
  expect(published).not.toHaveBeenCalled()
  published.mockRestore()
  const heard = hear('transition')
  board.circuit('a.test').reset()
  expect(heard).toMatchObject([['transition', { from: 'open', to: 'closed' }]])
})

test('warnings go to the console still, where nobody hears them', () => {
  const print = vi.spyOn(console, 'warn').mockImplementation(() => {})
  const { board } = benchOf()
  publish(board)
  board.warn('test', 'look here')
  expect(print.mock.calls).toEqual([['fuseboard: look here']])
  print.mockRestore()
})

test('nothing is published once it is stopped', () => {
  const { board } = benchOf()
  const heard = hear(...NAMES)
  const stop = diagnostics(board)
  stop()
  board.circuit('a.test').trip()
  board.attempt({ method: 'GET', url: 'https://a.test/' })
  expect(heard).toEqual([])
})

test('where there are no channels it does nothing', () => {
  const none = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
  const { board } = benchOf()
  expect(publish(board, { settled: true })).toEqual([])
  none.mockRestore()
})

test('wrong arguments are told by name', () => {
  expect(() => diagnostics(undefined as never)).toThrow('diagnostics needs a board first, got undefined')
  expect(() => diagnostics(benchOf().board, { settled: 1 as never })).toThrow(
    'diagnostics.settled must be true or false, got 1',
  )
  expect(() => diagnostics(benchOf().board, { transition: true } as never)).toThrow(
    'diagnostics has no option transition',
  )
})
