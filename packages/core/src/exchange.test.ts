// A client that throws answers, as an exchange sees it: whatever it makes of a response to watch its body.
import { expect, test } from 'vitest'
import { createBoard, exchange, reply, type BoardOptions, type Client } from './index.ts'

interface Answer {
  readonly status: number
}

const NOT_FOUND = new Error('404')

function ask(options: BoardOptions, own: Partial<Client<Answer>> = {}): { answer: Promise<Answer>; told: string[] } {
  const told: string[] = []
  const board = createBoard(options)
  board.on('settled', ({ verdict, status }) => told.push(`${verdict} ${status}`))
  const answer = exchange<Answer>(board.attempt({ method: 'GET', url: 'http://a.test/' }), {
    send: () => Promise.reject(NOT_FOUND),
    head: ({ status }) => ({ status, statusText: '', headers: [], decoded: true }),
    answerIn: () => ({ status: 404 }),
    watch: (response) => ({ ...response }),
    drain: () => told.push('drained'),
    ...own,
  })
  return { answer, told }
}

test('what it threw for an answer is thrown again, though it is watched as another response', async () => {
  const { answer, told } = ask({})
  await expect(answer).rejects.toBe(NOT_FOUND)
  expect(told).toEqual(['success 404'])
})

test('a stand-in takes the place of such an answer, in the way of the client', async () => {
  const fallback = Object.assign(reply({ json: [] }), { covers: () => true })
  const thaw = (): Answer => ({ status: 200 })
  const { answer, told } = ask({ fallback }, { thaw, handOver: ({ status }) => ({ status: status + 1 }) })
  expect(await answer).toEqual({ status: 201 })
  expect(told).toEqual(['success 404', 'drained'])
})
