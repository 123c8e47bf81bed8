// A test in TypeScript, with imports that become `require`.
import axios, { breaker } from '@fuseboard/axios'
import { circuitOpen, createBoard, type Board } from '@fuseboard/core'
import { manualClock, scriptedHost } from '@fuseboard/core/testing'

test('imports are required', async () => {
  const board: Board = createBoard()
  const http = axios.create().use(breaker(board))
  board.circuit('api.test').isolate()
  const error: unknown = await http.get('http://api.test/').catch((thrown: unknown) => thrown)
  expect(circuitOpen(error)?.reason).toBe('isolated')
})

test('a clock and a host of the tests', () => {
  const clock = manualClock()
  const board = createBoard({ clock, consecutiveFailures: 1, openFor: '30s' })
  board.circuit('api.test').trip('30s')
  clock.advance(31_000)
  expect(board.circuit('api.test').state).toBe('half-open')
  expect(scriptedHost(200)).toBeDefined()
})
