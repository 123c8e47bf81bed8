// What is ESM only, by a board that is required: of both the types are the same.
import { createBoard } from '@fuseboard/core'
import { breaker as axiosBreaker } from '@fuseboard/axios'
import { breaker as gotBreaker } from '@fuseboard/got'
import { breaker as kyBreaker } from '@fuseboard/ky'
import { breaker as undiciBreaker, guardGlobalFetch } from '@fuseboard/undici'
import { log, consoleLogger } from '@fuseboard/telemetry/log'
import got from 'got'
import ky from 'ky'
import * as required from './program.cjs'

export const clients = [required.board, createBoard()].map((board) => ({
  ky: ky.extend(kyBreaker(board)),
  got: got.extend(gotBreaker(board)),
  axios: axiosBreaker(board),
  undici: undiciBreaker(board),
  stop: log(board, consoleLogger()),
  undo: guardGlobalFetch,
}))
export const board: ReturnType<typeof createBoard> = required.board
