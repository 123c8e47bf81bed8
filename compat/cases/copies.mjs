// A program that imports some and requires some has two copies of each package: what one of them makes serves in the other.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import * as axiosImported from '@fuseboard/axios'
import * as imported from '@fuseboard/core'
import * as adminImported from '@fuseboard/core/admin'
import * as testingImported from '@fuseboard/core/testing'
import { breaker as gotBreaker } from '@fuseboard/got'
import { breaker as kyBreaker } from '@fuseboard/ky'
import * as outboxImported from '@fuseboard/outbox'
import * as undiciImported from '@fuseboard/undici'
import got from 'got'
import ky from 'ky'

const require = createRequire(import.meta.url)
const required = require('@fuseboard/core')
const copies = {
  imported: { core: imported, axios: axiosImported, undici: undiciImported, outbox: outboxImported },
  required: {
    core: required,
    axios: require('@fuseboard/axios'),
    undici: require('@fuseboard/undici'),
    outbox: require('@fuseboard/outbox'),
  },
}

async function serve(t) {
  let requests = 0
  const server = createServer((_request, response) => {
    requests++
    response.end('hello')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const host = `127.0.0.1:${server.address().port}`
  return { host, url: `http://${host}/`, requests: () => requests }
}

test('what is required is CommonJS, and another copy', () => {
  for (const name of ['core', 'core/admin', 'core/testing', 'axios', 'undici', 'outbox'])
    assert.match(require.resolve(`@fuseboard/${name}`), /[\\/]dist[\\/]cjs[\\/]/, name)
  for (const name of ['bullmq', 'dynamodb', 'sqlite', 'sqs'])
    assert.match(require.resolve(`@fuseboard/outbox/${name}`), /[\\/]dist[\\/]cjs[\\/]/, name)
  for (const name of ['redis', 'dynamodb', 'sqlite', 'keyv'])
    assert.match(require.resolve(`@fuseboard/stores/${name}`), /[\\/]dist[\\/]cjs[\\/]/, name)
  for (const name of ['alerts', 'cloudwatch', 'diagnostics', 'log', 'otel', 'prometheus'])
    assert.match(require.resolve(`@fuseboard/telemetry/${name}`), /[\\/]dist[\\/]cjs[\\/]/, name)
  assert.notEqual(required.Board, imported.Board)
})

test('both copies of each entry have the same names', async () => {
  assert.deepEqual(namesOf(required), namesOf(imported))
  assert.deepEqual(namesOf(require('@fuseboard/core/admin')), namesOf(adminImported))
  assert.deepEqual(namesOf(require('@fuseboard/core/testing')), namesOf(testingImported))
  for (const name of ['axios', 'undici', 'outbox'])
    assert.deepEqual(namesOf(copies.required[name]), namesOf(copies.imported[name]), name)
  // The clients of the other two stores are not here.
  for (const name of ['stores/redis', 'stores/sqlite', 'stores/keyv', 'outbox/sqlite'])
    assert.deepEqual(namesOf(require(`@fuseboard/${name}`)), namesOf(await import(`@fuseboard/${name}`)), name)
  for (const name of ['alerts', 'cloudwatch', 'diagnostics', 'log', 'otel', 'prometheus'])
    assert.deepEqual(
      namesOf(require(`@fuseboard/telemetry/${name}`)),
      namesOf(await import(`@fuseboard/telemetry/${name}`)),
      name,
    )
})

test('they share the default board of the process', async (t) => {
  const { url, host } = await serve(t)
  assert.equal(required.defaultBoard(), imported.defaultBoard())
  await copies.required.axios.breaker()(require('axios').create()).get(url)
  await ky.extend(kyBreaker()).get(url)
  await imported.guardFetch()(url)
  assert.equal(required.defaultBoard().peek(host)?.counters.successes, 3)
})

for (const [maker, taker] of [
  ['imported', 'required'],
  ['required', 'imported'],
]) {
  describe(`a board that is ${maker}, in what is ${taker}`, () => {
    const { core } = copies[maker]
    const { core: other, axios, undici, outbox } = copies[taker]
    const clientsOf = (board) => {
      const http = axios.breaker(board)(axios.default.create())
      const client = got.extend(gotBreaker(board), { retry: { limit: 0 } })
      const fetch = other.guardFetch(board)
      return {
        axios: async (url) => (await http.get(url)).data,
        fetch: async (url) => (await fetch(url)).text(),
        got: (url) => client.get(url).text(),
        ky: (url) => ky.extend(kyBreaker(board)).get(url, { retry: 0 }).text(),
      }
    }

    test('counts and refuses, and both know the refusal', async (t) => {
      const { url, host, requests } = await serve(t)
      const board = core.createBoard()
      const clients = Object.entries(clientsOf(board))
      for (const [name, get] of clients) assert.equal(await get(url), 'hello', name)
      assert.equal(board.circuit(host).counters.successes, clients.length)
      board.circuit(host).isolate('by hand')
      for (const [name, get] of clients) {
        const error = await get(url).catch((thrown) => thrown)
        assert.equal(core.circuitOpen(error)?.reason, 'isolated', name)
        assert.equal(other.circuitOpen(error), core.circuitOpen(error), name)
      }
      assert.equal(requests(), clients.length)
    })

    test('stands in by the fallbacks of either, and both know it', async (t) => {
      const { url, host } = await serve(t)
      const board = core.createBoard({
        fallback: [other.staleIfError({ keepFor: '1h' }), core.reply({ text: 'made' })],
      })
      board.circuit(host).isolate()
      const made = await other.guardFetch(board)(url)
      assert.equal(await made.text(), 'made')
      board.reset()
      await (await other.guardFetch(board)(url)).text()
      board.circuit(host).isolate()
      const stored = await axios.breaker(board)(axios.default.create()).get(url)
      assert.equal(stored.data, 'hello')
      for (const { isFallback } of [core, other]) {
        assert.equal(isFallback(made).source, 'made')
        assert.equal(isFallback(stored).source, 'stored')
      }
    })

    test('takes a failure from the other', async (t) => {
      const { url, host } = await serve(t)
      const board = core.createBoard()
      core.fail(await other.guardFetch(board)(url))
      assert.equal(board.circuit(host).counters.failures, 1)
    })

    test('guards the fetch of the process, once for both', async (t) => {
      const { url, host } = await serve(t)
      const board = core.createBoard({ hosts: { '127.0.0.1': {} } })
      for (const one of [undici, copies[maker].undici]) t.after(one.guardGlobalFetch(board))
      assert.equal(await (await fetch(url)).text(), 'hello')
      assert.equal(board.circuit(host).counters.successes, 1)
    })

    test('is seen by telemetry, and queues in an outbox', async (t) => {
      const { url, host } = await serve(t)
      const queue = outbox.createOutbox({ store: outbox.memoryOutbox() })
      const board = core.createBoard({
        fallback: outbox.defer({
          outbox: queue,
          when: ({ method }) => method === 'POST',
          idempotencyHeader: 'idempotency-key',
          reply: () => other.reply({ status: 202, text: 'later' }),
        }),
      })
      board.circuit(host).isolate()
      const response = await core.guardFetch(board)(url, { method: 'POST', body: 'x' })
      assert.equal(response.status, 202)
      const { prometheusText } = taker === 'required' ? require('@fuseboard/telemetry/prometheus') : await prometheus()
      assert.match(prometheusText(board), /state="isolated"\} 1/)
    })
  })
}

test('what is required answers errors of the axios that is required', async (t) => {
  const { url, host } = await serve(t)
  const axios = require('axios')
  const board = required.createBoard()
  board.circuit(host).isolate()
  const http = copies.required.axios.breaker(board)(axios.create())
  const error = await http.get(url).catch((thrown) => thrown)
  assert.ok(error instanceof axios.AxiosError)
  assert.ok(copies.required.axios.default.isAxiosError(error))
})

const prometheus = () => import('@fuseboard/telemetry/prometheus')

// What Node adds to CommonJS, or TypeScript does.
function namesOf(module) {
  return Object.keys(module)
    .filter((name) => name !== '__esModule' && name !== 'module.exports')
    .toSorted()
}
