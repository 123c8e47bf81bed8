// ky on each Node: its first release of this major, and the newest.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { circuitOpen, createBoard, isFallback, reply } from '@fuseboard/core'
import { breaker } from '@fuseboard/ky'
import { guardGlobalFetch } from '@fuseboard/undici'
import ky, { HTTPError, isKyError, TimeoutError } from 'ky'

const NO_DELAY = { limit: 5, delay: () => 0 }

async function make(t, options, listener = answer) {
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
  const api = ky.extend(breaker(board)).extend({ prefix: `http://${host}`, retry: 0 })
  return { api, board, host, log, requests: () => requests, asked: () => once(server, 'request') }
}

const answer = ({ url }, response) => {
  if (url === '/cut') {
    response.writeHead(200, { 'content-length': 100 })
    response.write('0123456789', () => response.destroy())
  } else if (url !== '/silent') {
    response.writeHead(url === '/down' ? 503 : 200, { 'set-cookie': ['a=1', 'b=2'] })
    response.end('{"hello":"world"}')
  }
}

/** Waits for what is settled a little later than ky itself gives up. */
async function logged(log, expected) {
  for (let turn = 0; turn < 100 && log.length < expected.length; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  assert.deepEqual(log, expected)
}

test('an answer, a 503, a truncated body', async (t) => {
  const { api, log } = await make(t)
  const response = await api('')
  assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2'])
  assert.deepEqual(await response.json(), { hello: 'world' })
  await assert.rejects(api('down'), HTTPError)
  await assert.rejects(api('cut').text())
  assert.deepEqual(log, ['success 200', 'failure 503', 'success 200', 'failure amended'])
})

test('each attempt counts, and the refusal is the last', async (t) => {
  const { api, log, requests } = await make(t, { consecutiveFailures: 2 })
  await assert.rejects(api('down', { retry: NO_DELAY }), (error) => circuitOpen(error)?.reason === 'open')
  assert.deepEqual([log, requests()], [['failure 503', 'failure 503'], 2])
})

test('open: an error of ky’s own kind, and no request, however eager the retry', async (t) => {
  const { api, board, host, requests } = await make(t)
  board.circuit(host).trip('60s')
  await assert.rejects(api('', { retry: { ...NO_DELAY, shouldRetry: () => true } }), (error) => {
    assert.equal(isKyError(error), true)
    assert.equal(error.code, 'EOPENBREAKER')
    return circuitOpen(error).host === host
  })
  assert.equal(requests(), 0)
})

test('a stand-in', async (t) => {
  const { api, board, host } = await make(t, { fallback: reply({ json: { made: true } }) })
  for (const reason of ['failed', 'refused']) {
    const response = await api('down')
    assert.deepEqual(await response.json(), { made: true })
    assert.equal(response.url, `http://${host}/down`)
    assert.equal(isFallback(response).reason, reason)
    board.circuit(host).trip('60s')
  }
})

test('a stand-in of a status that ky throws for is not retried', async (t) => {
  const { api, requests } = await make(t, { fallback: reply({ status: 503, json: {} }) })
  await assert.rejects(api('down', { retry: NO_DELAY }), HTTPError)
  assert.equal(requests(), 1)
})

test('the time limit of an attempt is a failure', async (t) => {
  const { api, log } = await make(t)
  await assert.rejects(api('silent', { timeout: 60 }), TimeoutError)
  await logged(log, ['failure none'])
})

test('the time limit of the whole call is a failure', async (t) => {
  const { api, log } = await make(t)
  await assert.rejects(api('silent', { timeout: false, totalTimeout: 60 }), TimeoutError)
  await logged(log, ['failure none'])
})

test('a caller who gives up, by either signal, says nothing of the host', async (t) => {
  const { api, asked, host, log } = await make(t)
  for (const inRequest of [false, true]) {
    const controller = new AbortController()
    const { signal } = controller
    const call = inRequest ? api(new Request(`http://${host}/silent`, { signal })) : api('silent', { signal })
    const rejected = assert.rejects(call, { name: 'AbortError' })
    await asked()
    controller.abort()
    await rejected
  }
  await logged(log, ['ignored none', 'ignored none'])
})

test('a request keeps its referrer', async (t) => {
  const { api } = await make(t, {}, (request, response) => response.end(request.headers.referer))
  const referrer = 'http://127.0.0.1/from'
  assert.equal(await api('', { referrer, referrerPolicy: 'unsafe-url' }).text(), referrer)
})

test('a body is sent, and sent again', async (t) => {
  let calls = 0
  const { api } = await make(t, {}, (request, response) => {
    response.writeHead(calls++ === 0 ? 503 : 200)
    request.pipe(response)
  })
  assert.equal(await api.put('', { body: 'hello', retry: NO_DELAY }).text(), 'hello')
})

test('above a guarded global dispatcher a call counts once, and its time limit is known there too', async (t) => {
  const { api, board, log } = await make(t)
  t.after(guardGlobalFetch(board))
  await api('').json()
  await assert.rejects(api('silent', { timeout: 60 }), TimeoutError)
  await logged(log, ['success 200', 'failure none'])
})
