// A program in JavaScript that imports.
import assert from 'node:assert/strict'
import axios, { breaker as axiosBreaker } from '@fuseboard/axios'
import { createBoard } from '@fuseboard/core'
import { breaker as gotBreaker } from '@fuseboard/got'
import { breaker as kyBreaker } from '@fuseboard/ky'
import { breaker as undiciBreaker } from '@fuseboard/undici'
import got from 'got'
import ky from 'ky'
import { Agent, request } from 'undici'
import required from './plain.cjs'

await required(async (url, host) => {
  const board = createBoard({ consecutiveFailures: 1 })
  const http = axios.create().use(axiosBreaker(board))
  assert.equal((await http.get(url)).data, 'hello')
  assert.equal(await ky.extend(kyBreaker(board)).get(url).text(), 'hello')
  assert.equal(await got.extend(gotBreaker(board)).get(url).text(), 'hello')
  const dispatcher = new Agent().compose(undiciBreaker(board))
  assert.equal(await (await request(url, { dispatcher })).body.text(), 'hello')
  assert.equal(board.circuit(host).counters.successes, 4)
})
