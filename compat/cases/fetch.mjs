// Native fetch of each Node, without npm undici anywhere near.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { circuitOpen, createBoard, guardFetch, isFallback, reply, staleIfError } from '@fuseboard/core'
import { guardGlobalFetch } from '@fuseboard/undici'

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
  return { server, host, origin: `http://${host}`, requests: () => requests }
}

function guard(t, options) {
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
  const undo = guardGlobalFetch(board)
  t.after(undo)
  return { board, log, undo }
}

function inFlight(board) {
  let all = 0
  for (const circuit of board.circuits()) all += circuit.counters.inFlight
  return all
}

test('npm undici is not there', async () => {
  await assert.rejects(import('undici'), { code: 'ERR_MODULE_NOT_FOUND' })
})

test('an answer, a 503 and repeated headers', async (t) => {
  const { origin } = await serve(t, (request, response) => {
    response.writeHead(request.url === '/down' ? 503 : 200, { 'set-cookie': ['a=1', 'b=2'] })
    response.end('hello')
  })
  const { board, log } = guard(t)
  const response = await fetch(origin)
  assert.deepEqual(
    [response.status, response.headers.getSetCookie(), await response.text()],
    [200, ['a=1', 'b=2'], 'hello'],
  )
  assert.equal(await (await fetch(`${origin}/down`)).text(), 'hello')
  assert.deepEqual(log, ['success 200', 'failure 503'])
  assert.equal(inFlight(board), 0)
})

test('a request body arrives', async (t) => {
  const { origin } = await serve(t, (request, response) => request.pipe(response))
  guard(t)
  assert.equal(await (await fetch(origin, { method: 'POST', body: 'hello' })).text(), 'hello')
})

test('a refused connection', async (t) => {
  const { server, origin } = await serve(t, (_request, response) => response.end())
  server.close()
  await once(server, 'close')
  const { log } = guard(t)
  await assert.rejects(fetch(origin), (error) => error instanceof TypeError && error.cause.code === 'ECONNREFUSED')
  assert.deepEqual(log, ['failure none'])
})

test('a truncated body', async (t) => {
  const { origin } = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': 100 })
    response.write('0123456789', () => response.destroy())
  })
  const { log } = guard(t)
  const response = await fetch(origin)
  await assert.rejects(response.text(), TypeError)
  assert.deepEqual(log, ['success 200', 'failure amended'])
})

test('a time-out is a failure, an abort is not', async (t) => {
  const { origin } = await serve(t, () => {})
  const { board, log } = guard(t)
  await assert.rejects(fetch(origin, { signal: AbortSignal.timeout(30) }), {
    name: 'TimeoutError',
  })
  const controller = new AbortController()
  setTimeout(() => controller.abort(), 30)
  await assert.rejects(fetch(origin, { signal: controller.signal }), { name: 'AbortError' })
  assert.deepEqual(log, ['failure none', 'ignored none'])
  assert.equal(inFlight(board), 0)
})

test('open: a TypeError with the refusal as its cause, and nothing is sent', async (t) => {
  const { origin, host, requests } = await serve(t, (_request, response) => response.end())
  const { board } = guard(t)
  board.circuit(host).trip('60s')
  await assert.rejects(fetch(origin), (error) => {
    assert.ok(error instanceof TypeError)
    assert.equal(circuitOpen(error), error.cause)
    assert.equal(error.cause.code, 'EOPENBREAKER')
    assert.equal(error.cause.host, host)
    return true
  })
  assert.equal(requests(), 0)
})

test('a stand-in with two cookies, made', async (t) => {
  const { origin, host } = await serve(t, (_request, response) => {
    response.writeHead(503)
    response.end('down')
  })
  const cookies = [
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ]
  const { board } = guard(t, { fallback: reply({ json: { made: true }, headers: cookies }) })
  for (const reason of ['failed', 'refused']) {
    const response = await fetch(origin)
    assert.deepEqual([response.status, await response.json()], [200, { made: true }])
    assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2'])
    assert.equal(isFallback(response).reason, reason)
    board.circuit(host).trip('60s')
  }
  const head = await fetch(origin, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [200, ''])
})

test('a stand-in of 300 kB, read late', async (t) => {
  const { origin, host } = await serve(t, (_request, response) => response.end())
  const { board } = guard(t, { fallback: reply({ text: 'x'.repeat(300_000) }) })
  board.circuit(host).trip('60s')
  const response = await fetch(origin)
  await new Promise((done) => setTimeout(done, 50))
  assert.equal((await response.text()).length, 300_000)
})

test('a stored reply', async (t) => {
  let well = true
  const { origin } = await serve(t, (_request, response) => {
    response.writeHead(well ? 200 : 500)
    response.end(well ? 'hello' : 'down')
  })
  guard(t, { fallback: staleIfError({ keepFor: '1d' }) })
  assert.equal(await (await fetch(origin)).text(), 'hello')
  well = false
  const response = await fetch(origin)
  assert.equal(await response.text(), 'hello')
  assert.equal(isFallback(response).source, 'stored')
})

test('a fallback with nothing to say leaves the answer as it is', async (t) => {
  const { origin } = await serve(t, (_request, response) => {
    response.writeHead(503, { 'set-cookie': ['a=1', 'b=2'] })
    response.end('x'.repeat(200_000))
  })
  guard(t, { fallback: async () => undefined })
  const response = await fetch(origin)
  assert.deepEqual([response.status, response.headers.getSetCookie()], [503, ['a=1', 'b=2']])
  assert.equal((await response.text()).length, 200_000)
})

test('an upgrade is refused while open', { skip: !globalThis.WebSocket }, async (t) => {
  const { origin, host, requests } = await serve(t, (_request, response) => response.end())
  const { board } = guard(t)
  board.circuit(host).trip('60s')
  const socket = new WebSocket(origin.replace('http', 'ws'))
  await once(socket, 'error')
  assert.equal(requests(), 0)
})

test('guardFetch above it counts with it once', async (t) => {
  const { origin } = await serve(t, (_request, response) => response.end('hello'))
  const { board, log } = guard(t)
  assert.equal(await (await guardFetch(board)(origin)).text(), 'hello')
  assert.deepEqual(log, ['success 200'])
})

test('a host next door that nobody names is left out', async (t) => {
  const { origin } = await serve(t, (_request, response) => response.end())
  const { log } = guard(t, { hosts: {} })
  assert.equal((await fetch(origin)).status, 200)
  assert.deepEqual(log, [])
})

test('the undo, and two installs', async (t) => {
  const { origin } = await serve(t, (_request, response) => response.end())
  const { board, log, undo } = guard(t)
  const undoAgain = guardGlobalFetch(board)
  await fetch(origin)
  assert.deepEqual(log, ['success 200'])
  undoAgain()
  await fetch(origin)
  assert.deepEqual(log, ['success 200', 'success 200'])
  undo()
  await fetch(origin)
  assert.deepEqual(log, ['success 200', 'success 200'])
})
