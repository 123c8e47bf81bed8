// Axios on each Node: both adapters, both of its builds.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { Readable, Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { circuitOpen, createBoard, isFallback, reply, staleIfError } from '@fuseboard/core'
import fuseboardAxios, { breaker, unguard } from '@fuseboard/axios'
import axios from 'axios'

const required = createRequire(import.meta.url)('axios')
// The fetch adapter lets no fetch be put in before 1.12, so that nothing is kept there. In 1.7.0
// it also loses all cookies but the last, and a pipeline from it does not end, with a breaker or without.
const isOld = Number(axios.VERSION.split('.')[1]) < 12

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
  return { host, url: `http://${host}`, requests: () => requests }
}

function make(options) {
  const board = createBoard({ failureRate: false, consecutiveFailures: false, ...options })
  const log = []
  board.on('settled', ({ verdict, status, amended }) =>
    log.push(`${verdict} ${amended ? 'amended' : (status ?? 'none')}`),
  )
  return { board, log }
}

const listener = (request, response) => {
  if (request.url === '/cut') {
    response.writeHead(200, { 'content-length': 100 })
    response.write('0123456789', () => setTimeout(() => response.destroy(), 20))
  } else if (request.url === '/endless') {
    response.write('more')
  } else if (request.url === '/hop') {
    response.writeHead(302, { location: '/' }).end()
  } else {
    if (request.url === '/cookies') response.setHeader('set-cookie', ['a=1', 'b=2'])
    response.writeHead(request.url === '/down' ? 503 : 200).end('hello')
  }
}

const asText = (data) => text(data instanceof Readable ? data : Readable.fromWeb(data))

for (const [build, copy] of Object.entries({ import: axios, require: required })) {
  for (const adapter of ['http', 'fetch']) {
    const name = `${build}, ${adapter} adapter`

    test(`${name}: an answer, a 503, a truncated body`, async (t) => {
      const { url } = await serve(t, listener)
      const { board, log } = make()
      const http = breaker(board)(copy.create({ adapter }))
      const { data, headers } = await http.get(`${url}/cookies`)
      assert.equal(data, 'hello')
      if (!isOld || adapter === 'http') assert.deepEqual(headers['set-cookie'], ['a=1', 'b=2'])
      for (const path of ['down', 'cut']) await assert.rejects(http.get(`${url}/${path}`), copy.AxiosError)
      assert.deepEqual(log, ['success 200', 'failure 503', 'failure none'])
    })

    test(`${name}: streams that the host cuts short, and that their reader leaves`, async (t) => {
      const { url } = await serve(t, listener)
      const { board, log } = make()
      const http = breaker(board)(copy.create({ adapter, responseType: 'stream' }))
      await assert.rejects(asText((await http.get(`${url}/cut`)).data))
      assert.deepEqual(log, ['success 200', 'failure amended'])
      if (isOld && adapter === 'fetch') return
      const { data } = await http.get(`${url}/endless`)
      const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('Disk full')) })
      await assert.rejects(pipeline(data, full), /Disk full/)
      assert.deepEqual(log, ['success 200', 'failure amended', 'success 200'])
    })

    test(`${name}: open`, async (t) => {
      const { url, host, requests } = await serve(t, listener)
      const { board } = make()
      const http = breaker(board)(copy.create({ adapter }))
      board.circuit(host).trip('60s')
      const error = await http.get(url).catch((error) => error)
      assert.ok(error instanceof copy.AxiosError)
      assert.equal(circuitOpen(error)?.host, host)
      unguard(http)
      await http.get(url)
      assert.equal(requests(), 1)
    })

    test(`${name}: stand-ins`, async (t) => {
      const { url, host } = await serve(t, listener)
      const { board } = make({ fallback: [staleIfError({ keepFor: '1h' }), reply({ text: 'made' })] })
      const http = breaker(board)(copy.create({ adapter }))
      await http.get(url)
      board.circuit(host).trip('60s')
      const answers = [await http.get(url), await http.get(`${url}/other`)]
      const isKept = !isOld || adapter === 'http'
      assert.deepEqual(
        answers.map(({ data }) => data),
        [isKept ? 'hello' : 'made', 'made'],
      )
      assert.deepEqual(
        answers.map((answer) => isFallback(answer).source),
        [isKept ? 'stored' : 'made', 'made'],
      )
    })
  }
}

test('each hop of a redirect counts', async (t) => {
  const { url } = await serve(t, listener)
  const { board, log } = make()
  await breaker(board)(axios.create()).get(`${url}/hop`)
  assert.deepEqual(log, ['success 302', 'success 200'])
})

test('the axios of the package takes a breaker by use', async (t) => {
  const { url } = await serve(t, listener)
  const { board, log } = make()
  fuseboardAxios.use(breaker(board))
  await fuseboardAxios.create().get(url)
  assert.deepEqual(log, ['success 200'])
  assert.equal(fuseboardAxios.AxiosError, axios.AxiosError)
})
