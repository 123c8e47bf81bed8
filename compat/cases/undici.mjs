// npm undici on each Node: by itself, and below native fetch.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { circuitOpen, createBoard, isFallback, reply } from '@fuseboard/core'
import { breaker, guardGlobalFetch } from '@fuseboard/undici'
import * as undici from 'undici'

const { Agent, interceptors, setGlobalDispatcher } = undici

async function serve(t, listener) {
  let requests = 0
  const server = createServer((request, response) => {
    requests++
    listener(request, response)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${server.address().port}`
  return { host, origin: `http://${host}`, requests: () => requests }
}

function make(t, options) {
  const board = createBoard({
    hosts: { '127.0.0.1': {} },
    failureRate: false,
    consecutiveFailures: false,
    ...options,
  })
  const log = []
  board.on('settled', ({ verdict, status, amended }) =>
    log.push(`${verdict} ${amended ? 'amended' : (status ?? 'none')}`),
  )
  const agent = new Agent()
  t.after(() => agent.destroy())
  return { board, log, agent, guarded: agent.compose(breaker(board)) }
}

const listener = (request, response) => {
  if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': 100 })
    response.write('0123456789', () => response.destroy())
    return
  }
  response.writeHead(request.url === '/down' ? 503 : 200, { 'set-cookie': ['a=1', 'b=2'] })
  response.end('hello')
}

const cookies = [
  ['set-cookie', 'a=1'],
  ['set-cookie', 'b=2'],
]

// Each sends a GET through the dispatcher and gives back what came.
const ways = {
  request: async (dispatcher, url) => {
    const { statusCode, headers, body } = await undici.request(url, { dispatcher })
    return {
      status: statusCode,
      cookies: headers['set-cookie'],
      text: await body.text(),
      fallback: isFallback({ headers }),
    }
  },
  'fetch of npm undici': async (dispatcher, url) => read(await undici.fetch(url, { dispatcher })),
  'native fetch, given the dispatcher': async (dispatcher, url) => read(await fetch(url, { dispatcher })),
  'native fetch, below it the global dispatcher': async (dispatcher, url) => {
    const before = undici.getGlobalDispatcher()
    setGlobalDispatcher(dispatcher)
    try {
      return read(await fetch(url))
    } finally {
      setGlobalDispatcher(before)
    }
  },
}

const read = async (response) => ({
  status: response.status,
  cookies: response.headers.getSetCookie(),
  text: await response.text(),
  fallback: isFallback(response),
})

for (const [name, ask] of Object.entries(ways)) {
  test(`${name}: an answer, a 503, a truncated body`, async (t) => {
    const { origin } = await serve(t, listener)
    const { guarded, log } = make(t)
    const answer = { cookies: ['a=1', 'b=2'], text: 'hello', fallback: undefined }
    assert.deepEqual(await ask(guarded, origin), { status: 200, ...answer })
    assert.deepEqual(await ask(guarded, `${origin}/down`), { status: 503, ...answer })
    await assert.rejects(ask(guarded, `${origin}/cut`))
    assert.deepEqual(log, ['success 200', 'failure 503', 'success 200', 'failure amended'])
  })

  test(`${name}: open`, async (t) => {
    const { origin, host, requests } = await serve(t, listener)
    const { guarded, board } = make(t)
    board.circuit(host).trip('60s')
    await assert.rejects(ask(guarded, origin), (error) => circuitOpen(error)?.host === host)
    assert.equal(requests(), 0)
  })

  test(`${name}: a stand-in`, async (t) => {
    const { origin, host } = await serve(t, listener)
    const { guarded, board } = make(t, { fallback: reply({ text: 'made', headers: cookies }) })
    for (const reason of ['failed', 'refused']) {
      const { fallback, ...answer } = await ask(guarded, `${origin}/down`)
      assert.deepEqual(answer, { status: 200, cookies: ['a=1', 'b=2'], text: 'made' })
      assert.equal(fallback.reason, reason)
      board.circuit(host).trip('60s')
    }
  })
}

test('retry inside out', async (t) => {
  let calls = 0
  const { origin } = await serve(t, (_request, response) => {
    response.writeHead(calls++ < 2 ? 503 : 200)
    response.end('hello')
  })
  const { guarded, log } = make(t)
  const { body } = await undici.request(origin, {
    dispatcher: guarded.compose(interceptors.retry({ minTimeout: 1 })),
  })
  assert.equal(await body.text(), 'hello')
  assert.deepEqual(log, ['failure 503', 'failure 503', 'success 200'])
})

test('guardGlobalFetch over a guarded dispatcher counts once', async (t) => {
  const { origin } = await serve(t, listener)
  const { guarded, board, log } = make(t)
  const before = undici.getGlobalDispatcher()
  setGlobalDispatcher(guarded)
  t.after(() => setGlobalDispatcher(before))
  t.after(guardGlobalFetch(board))
  assert.equal((await read(await fetch(origin))).status, 200)
  assert.deepEqual(log, ['success 200'])
})

test('a setGlobalDispatcher that unguards fetch is warned of once', async (t) => {
  const { origin } = await serve(t, listener)
  const { agent, board, log } = make(t)
  const warnings = []
  board.on('warning', ({ message }) => warnings.push(message))
  const before = undici.getGlobalDispatcher()
  t.after(guardGlobalFetch(board))
  setGlobalDispatcher(agent)
  t.after(() => setGlobalDispatcher(before))
  for (let i = 0; i < 3; i++) await read(await fetch(origin))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0], /no longer guarded/)
  assert.deepEqual(log, [])
})
