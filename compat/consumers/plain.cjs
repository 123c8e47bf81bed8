// A program in JavaScript that requires; by itself, and from plain.mjs.
const assert = require('node:assert/strict')
const events = require('node:events')
const { createServer } = require('node:http')
const { default: axios, breaker } = require('@fuseboard/axios')
const { circuitOpen, createBoard, defaultBoard, guardFetch, isFallback, staleIfError } = require('@fuseboard/core')
const { createOutbox, memoryOutbox } = require('@fuseboard/outbox')
const { sqliteReplies } = require('@fuseboard/stores/sqlite')
const { prometheusText } = require('@fuseboard/telemetry/prometheus')
const { breaker: undiciBreaker } = require('@fuseboard/undici')
const { Agent, request } = require('undici')
const { DatabaseSync } = require('node:sqlite')

module.exports = async function program(more = async () => {}) {
  const server = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1')
  await events.once(server, 'listening')
  const host = `127.0.0.1:${server.address().port}`
  const url = `http://${host}/`
  try {
    await calls(url, host)
    await more(url, host)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

async function calls(url, host) {
  const board = createBoard({
    fallback: staleIfError({ keepFor: '1h' }),
    replies: sqliteReplies(new DatabaseSync(':memory:')),
  })
  axios.use(breaker(board))
  const { data } = await axios.get(url)
  const fetch = guardFetch(board)
  const dispatcher = new Agent().compose(undiciBreaker(board))
  const texts = [data, await (await fetch(url)).text(), await (await request(url, { dispatcher })).body.text()]
  assert.deepEqual(texts, ['hello', 'hello', 'hello'])
  assert.equal(board.circuit(host).counters.successes, 3)

  board.circuit(host).isolate('by hand')
  assert.ok(circuitOpen(await axios.get(`${url}other`).catch((error) => error)))
  assert.ok(isFallback(await fetch(url)))
  assert.match(prometheusText(board), /state="isolated"\} 1/)
  assert.ok(createOutbox({ store: memoryOutbox() }))

  // got and ky are ESM, and so are their adapters.
  const [{ default: ky }, { breaker: kyBreaker }] = await Promise.all([import('ky'), import('@fuseboard/ky')])
  await ky.extend(kyBreaker()).get(url)
  assert.equal(defaultBoard().peek(host)?.counters.successes, 1)
}

if (require.main === module) void module.exports()
