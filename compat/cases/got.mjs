// got on each Node: promises, streams, retries and its cache.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { circuitOpen, createBoard, isFallback, reply, staleIfError } from '@fuseboard/core'
import { breaker } from '@fuseboard/got'
import got, { RequestError } from 'got'

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

function make(t, options, extension) {
  const board = createBoard({ failureRate: false, consecutiveFailures: false, ...options })
  const log = []
  board.on('settled', ({ verdict, status, amended }) =>
    log.push(`${verdict} ${amended ? 'amended' : (status ?? 'none')}`),
  )
  return { board, log, client: got.extend(breaker(board), { retry: { limit: 0 }, ...extension }) }
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

// Each sends a GET and gives back what came.
const ways = {
  promise: async (client, url) => {
    const response = await client(url, { throwHttpErrors: false })
    return { ...headOf(response), text: response.body }
  },
  stream: async (client, url) => {
    const stream = client.stream(url, { throwHttpErrors: false })
    const [response] = await once(stream, 'response')
    return { ...headOf(response), text: await text(stream) }
  },
}

const headOf = (response) => ({
  status: response.statusCode,
  cookies: response.headers['set-cookie'],
  fallback: isFallback(response),
})

for (const [name, ask] of Object.entries(ways)) {
  test(`${name}: an answer, a 503, a truncated body`, async (t) => {
    const { origin, host } = await serve(t, listener)
    const { client, board, log } = make(t)
    const answer = { cookies: ['a=1', 'b=2'], text: 'hello', fallback: undefined }
    assert.deepEqual(await ask(client, origin), { status: 200, ...answer })
    assert.deepEqual(await ask(client, `${origin}/down`), { status: 503, ...answer })
    await assert.rejects(ask(client, `${origin}/cut`), RequestError)
    assert.deepEqual(log, ['success 200', 'failure 503', 'success 200', 'failure amended'])
    assert.equal(board.circuit(host).counters.inFlight, 0)
  })

  test(`${name}: open`, async (t) => {
    const { origin, host, requests } = await serve(t, listener)
    const { client, board } = make(t)
    board.circuit(host).trip('60s')
    await assert.rejects(ask(client, origin), (error) => {
      assert.ok(error instanceof RequestError)
      assert.equal(error.code, 'EOPENBREAKER')
      assert.equal(circuitOpen(error).host, host)
      return true
    })
    assert.equal(requests(), 0)
  })

  test(`${name}: a stand-in`, async (t) => {
    const { origin, host } = await serve(t, listener)
    const { client, board } = make(t, { fallback: reply({ text: 'made', headers: cookies }) })
    for (const reason of ['failed', 'refused']) {
      const { fallback, ...answer } = await ask(client, `${origin}/down`)
      assert.deepEqual(answer, { status: 200, cookies: ['a=1', 'b=2'], text: 'made' })
      assert.equal(fallback.reason, reason)
      board.circuit(host).trip('60s')
    }
  })

  test(`${name}: a time-out is a failure, an abort is not`, async (t) => {
    const { origin } = await serve(t, () => {})
    const { client, log } = make(t)
    await assert.rejects(ask(client.extend({ timeout: { request: 30 } }), origin), { name: 'TimeoutError' })
    await assert.rejects(ask(client.extend({ signal: AbortSignal.timeout(30) }), origin))
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 30)
    await assert.rejects(ask(client.extend({ signal: controller.signal }), origin), { name: 'AbortError' })
    assert.deepEqual(log, ['failure none', 'failure none', 'ignored none'])
  })
}

test('a refused connection, and a stand-in for it', async (t) => {
  const { server, origin } = await serve(t, listener)
  server.close()
  await once(server, 'close')
  const { client, log } = make(t)
  await assert.rejects(client(origin), { code: 'ECONNREFUSED' })
  assert.deepEqual(log, ['failure none'])
  const { client: other } = make(t, { fallback: reply({ text: 'made' }) })
  assert.equal(await other(origin).text(), 'made')
})

test('a stored reply, packed on the wire', async (t) => {
  let well = true
  const { origin } = await serve(t, (_request, response) => {
    if (!well) return void response.writeHead(500).end('down')
    response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello'))
  })
  const { client } = make(t, { fallback: staleIfError({ keepFor: '1d' }) })
  assert.equal(await client(origin).text(), 'hello')
  well = false
  const response = await client(origin)
  assert.deepEqual([response.body, isFallback(response).source], ['hello', 'stored'])
})

test('each retry and each hop counts, and a circuit that opens ends the retries', async (t) => {
  let calls = 0
  const { origin, requests } = await serve(t, (request, response) => {
    if (request.url === '/hop') return void response.writeHead(302, { location: '/' }).end()
    response.writeHead(calls++ < 1 ? 503 : 200).end('hello')
  })
  const retry = { limit: 3, backoffLimit: 1, noise: 0 }
  const { client, log } = make(t, {}, { retry })
  assert.equal(await client(`${origin}/hop`).text(), 'hello')
  // got asks again where the redirect had led it, or from the start.
  assert.deepEqual(log.filter((entry) => entry !== 'success 302').join(), 'failure 503,success 200')

  calls = -10
  const opening = make(t, { consecutiveFailures: 2 }, { retry })
  const before = requests()
  await assert.rejects(opening.client(origin), (error) => circuitOpen(error)?.reason === 'open')
  assert.equal(requests() - before, 2)
})

test('a hit of got’s cache is served while open, and does not count', async (t) => {
  const { origin, host } = await serve(t, (_request, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=60' }).end('hello')
  })
  const { client, board, log } = make(t, {}, { cache: new Map() })
  for (const _ of [1, 2]) assert.equal(await client(origin).text(), 'hello')
  board.circuit(host).trip('60s')
  assert.equal(await client(origin).text(), 'hello')
  assert.deepEqual(log, ['success 200'])
  await assert.rejects(client(`${origin}/other`), (error) => circuitOpen(error)?.host === host)
})
