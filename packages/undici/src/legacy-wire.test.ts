// The older interface of undici's handlers, on either side.
import type { Duplex } from 'node:stream'
import { createBoard, type Board, type FallbackOption } from '@fuseboard/core'
import type { Dispatcher } from 'undici'
import { expect, test } from 'vitest'
import { guard } from './breaker.ts'
import type { RawFields } from './head.ts'
import type { Handler, LegacyHandler } from './interfaces.ts'

// A dispatcher of undici 6, which calls the older interface only. What it would send is said by hand.
type Wire = Required<LegacyHandler>

const raw = (...texts: string[]): RawFields => texts.map((text) => Buffer.from(text))
const nothing = (): void => {}

test('the older interface is passed on to a handler that has it, bytes and all', () => {
  const { wire, log, told } = begin(legacyHandler)
  wire.onConnect(nothing, null)
  expect(wire.onHeaders(103, raw('link', '<a>'), nothing, 'Early Hints')).toBe(true)
  expect(wire.onHeaders(200, raw('Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'), nothing, 'OK')).toBe(true)
  expect(wire.onData(Buffer.from('hello'))).toBe(true)
  wire.onComplete(raw('x-sum', '5'))
  expect(told).toEqual([
    'connect',
    'headers 103 link,<a> Early Hints',
    'headers 200 Set-Cookie,a=1,Set-Cookie,b=2 OK',
    'data hello',
    'complete x-sum,5',
  ])
  expect(log).toEqual(['success 200'])
})

test('and to one that has the newer, as objects', () => {
  const { wire, log, told } = begin(modernHandler)
  wire.onConnect(nothing, null)
  wire.onHeaders(200, raw('Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'), nothing, 'OK')
  wire.onData(Buffer.from('hello'))
  wire.onComplete(raw('x-sum', '5'))
  expect(told).toEqual(['start', 'head 200 {"set-cookie":["a=1","b=2"]} OK', 'data hello', 'end {"x-sum":"5"}'])
  expect(log).toEqual(['success 200'])
})

test.each([
  ['older', (told: string[]) => legacyHandler(told, { head: false, data: false })],
  ['newer', (told: string[]) => modernHandler(told, { head: false, data: false })],
])('a handler of the %s interface that wants a pause gets one, and resumes', (_name, handler) => {
  const { wire, below } = begin(handler)
  let resumed = 0
  wire.onConnect(nothing, null)
  expect(wire.onHeaders(103, [], nothing, '')).toBe(true)
  expect(wire.onHeaders(200, [], () => void resumed++, 'OK')).toBe(false)
  below.resume()
  below.resume()
  expect(resumed).toBe(1)
  expect(wire.onData(Buffer.from('a'))).toBe(false)
  below.resume()
  expect(resumed).toBe(2)
})

test('an abort goes to the wire once, and what comes back is the caller giving up', () => {
  const { wire, log, below, told } = begin(legacyHandler)
  const aborts: unknown[] = []
  const mine = new Error('mine')
  wire.onConnect((reason) => aborts.push(reason), null)
  below.abort(mine)
  below.abort(mine)
  expect(aborts).toEqual([mine])
  wire.onError(mine)
  expect([log, told]).toEqual([['ignored none'], ['connect', 'error mine']])
})

test('an upgrade is settled by its status', () => {
  for (const handler of [legacyHandler, modernHandler]) {
    const { wire, log, told } = begin(handler)
    wire.onConnect(nothing, null)
    wire.onUpgrade(101, raw('upgrade', 'echo'), {} as Duplex)
    expect(log).toEqual(['success 101'])
    expect(told.at(-1)).toMatch(/^upgrade 101 .*echo/)
  }
})

test('a stand-in takes the place of a masked answer, which goes on without a reader', async () => {
  const made = { status: 200, statusText: 'Made', decoded: true, mark: { source: 'made', reason: 'failed' } } as const
  const { wire, told } = begin(legacyHandler, () => ({ ...made, headers: [['a', '1']], body: Buffer.from('made') }))
  let resumed = 0
  wire.onConnect(nothing, null)
  expect(wire.onHeaders(503, raw('content-length', '4'), () => void resumed++, 'Down')).toBe(false)
  await expect.poll(() => told.length).toBe(4)
  expect(resumed).toBe(1)
  wire.onData(Buffer.from('down'))
  wire.onComplete([])
  expect(told).toEqual(['connect', 'headers 200 a,1 Made', 'data made', 'complete '])
})

test('HTTP/2 is switched off where an older client asks for an upgrade, and only there', () => {
  const sent: unknown[] = []
  const dispatch = guard(createBoard(), (options) => sent.push((options as { allowH2?: boolean }).allowH2) > 0)
  const options = { origin: 'http://a.test', path: '/', method: 'GET' } as const
  dispatch({ ...options, upgrade: 'websocket' }, legacyHandler([]))
  dispatch({ ...options, upgrade: 'websocket' }, modernHandler([]))
  dispatch(options, legacyHandler([]))
  expect(sent).toEqual([false, undefined, undefined])
})

test('hooks for the body of a request are there where the handler below has them', () => {
  const told: string[] = []
  const hooks = {
    onResponseStarted: () => void told.push('started'),
    onRequestSent: () => void told.push('sent'),
    onBodySent: (chunk: Buffer) => void told.push(`body ${chunk.toString()}`),
  }
  const { wire } = begin(() => ({ ...legacyHandler([]), ...hooks }))
  const handler = wire as unknown as Required<Dispatcher.DispatchHandler>
  handler.onBodySent(Buffer.from('a'))
  handler.onRequestSent()
  handler.onResponseStarted()
  expect(told).toEqual(['body a', 'sent', 'started'])
  expect(begin(legacyHandler).wire).not.toHaveProperty('onBodySent')
})

interface Controls {
  resume: () => void
  abort: (reason: Error) => void
}

/** Whether a handler goes on after a head and after data. */
interface GoesOn {
  readonly head: boolean
  readonly data: boolean
}

let controls: Controls = { resume: nothing, abort: nothing }

function begin(handler: (told: string[]) => Handler, fallback?: FallbackOption) {
  const told: string[] = []
  const board = createBoard(fallback && { fallback })
  const log = logOf(board)
  let wire: unknown
  guard(board, (_options, handler) => Boolean((wire = handler)))(
    { origin: 'http://a.test', path: '/', method: 'GET' },
    handler(told),
  )
  const below = { resume: () => controls.resume(), abort: (reason: Error) => controls.abort(reason) }
  return { wire: wire as Wire, log, told, below }
}

function legacyHandler(told: string[], goesOn: GoesOn = { head: true, data: true }): Handler {
  return {
    onConnect(abort) {
      controls = { resume: nothing, abort }
      told.push('connect')
    },
    onUpgrade: (status, headers) => void told.push(`upgrade ${status} ${headers.join(',')}`),
    onHeaders(status, headers, resume, text) {
      controls.resume = resume
      told.push(`headers ${status} ${headers.join(',')} ${text}`)
      return goesOn.head
    },
    onData(chunk) {
      told.push(`data ${chunk.toString()}`)
      return goesOn.data
    },
    onComplete: (trailers) => void told.push(`complete ${trailers.join(',')}`),
    onError: (error) => void told.push(`error ${error.message}`),
  }
}

function modernHandler(told: string[], goesOn: GoesOn = { head: true, data: true }): Handler {
  return {
    onRequestStart(controller) {
      controls = { resume: () => controller.resume(), abort: (reason) => controller.abort(reason) }
      told.push('start')
    },
    onRequestUpgrade: (_controller, status, headers) => void told.push(`upgrade ${status} ${JSON.stringify(headers)}`),
    onResponseStart(controller, status, headers, text) {
      if (status >= 200 && !goesOn.head) controller.pause()
      told.push(`head ${status} ${JSON.stringify(headers)} ${text}`)
    },
    onResponseData(controller, chunk) {
      if (!goesOn.data) controller.pause()
      told.push(`data ${chunk.toString()}`)
    },
    onResponseEnd: (_controller, trailers) => void told.push(`end ${JSON.stringify(trailers)}`),
    onResponseError: (_controller, error) => void told.push(`error ${error.message}`),
  }
}

function logOf(board: Board): string[] {
  const log: string[] = []
  board.on('settled', ({ verdict, status }) => log.push(`${verdict} ${status ?? 'none'}`))
  return log
}
