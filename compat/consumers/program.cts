// A program with all that can be required: compiled as ESM, as CommonJS, and for a bundler.
import fuseboardAxios, {
  breaker,
  pluggable,
  unguard,
  type AxiosInstance,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
  AxiosError,
} from '@fuseboard/axios'
import {
  circuitOpen,
  createBoard,
  defaultBoard,
  duration,
  guard,
  guardFetch,
  isFallback,
  policy,
  reply,
  staleIfError,
  type Attempt,
  type Board,
  type Circuit,
  type CircuitOpenError,
  type TransitionEvent,
} from '@fuseboard/core'
import { adminHandler } from '@fuseboard/core/admin'
import { manualClock, scriptedHost } from '@fuseboard/core/testing'
import { createOutbox, defer, memoryOutbox } from '@fuseboard/outbox'
import { sqliteOutbox } from '@fuseboard/outbox/sqlite'
import { keyvReplies } from '@fuseboard/stores/keyv'
import { redisFleet, redisReplies } from '@fuseboard/stores/redis'
import { sqliteReplies } from '@fuseboard/stores/sqlite'
import { alerts } from '@fuseboard/telemetry/alerts'
import { cloudwatch } from '@fuseboard/telemetry/cloudwatch'
import { diagnostics } from '@fuseboard/telemetry/diagnostics'
import { consoleLogger, log } from '@fuseboard/telemetry/log'
import { otel } from '@fuseboard/telemetry/otel'
import { prometheusText } from '@fuseboard/telemetry/prometheus'
import { breaker as undiciBreaker, guardGlobalFetch } from '@fuseboard/undici'
import axios from 'axios'
import { Agent } from 'undici'

// Without annotations, so that what is inferred must have a name for a declaration file.
export const board = createBoard({
  consecutiveFailures: 3,
  openFor: '30s',
  hosts: {
    'api.test': policy({ fallback: [staleIfError({ keepFor: '7d' }), reply({ json: { a: 1 } })] }),
    localhost: false,
  },
})
export const http = breaker(board)(axios.create())
export const own = pluggable(fuseboardAxios.create()).use(breaker(board))
export const dispatcher = new Agent().compose(undiciBreaker(board))
export const fetches = guardFetch(board)
export const download = board.guard('video', (url: string, from: number) => `${url}#${from}`)
export const guarded = guard({ openFor: '5s' })(() => 1)
export const outbox = createOutbox({ store: memoryOutbox() })
export const queued = createBoard({
  fallback: defer({
    outbox,
    when: ({ method }) => method === 'POST',
    idempotencyHeader: 'idempotency-key',
    reply: ({ id }) => reply({ status: 202, json: { id } }),
  }),
})
export const admin = adminHandler(board)
export const clock = manualClock()
export const host = scriptedHost(200)
export const stop = log(board, consoleLogger())
export const parsed: number = duration('30s')

board.on('transition', (event: TransitionEvent) => event.message.length + (event.evidence?.calls ?? 0))
export const circuit: Circuit = board.circuit('api.test')
export const shared: Board = defaultBoard()
export const openOf = (error: unknown): CircuitOpenError => circuitOpen(error) as CircuitOpenError
export const isMade = (response: Response): boolean => isFallback(response)?.source === 'made'
export const text: string = prometheusText(board)
export const made: number = download('x', 1).length + download.circuit.key.length
export const ofAxios: (instance: AxiosInstance) => void = unguard
export const data = async (): Promise<AxiosResponse<string>> => own.get<string>('/')
export const config = (given: InternalAxiosRequestConfig): boolean => given.adapter !== undefined
export const isOwn = (error: unknown): boolean => error instanceof AxiosError
export const hold = (attempt: Attempt): void => attempt.release()
export const others = [
  alerts,
  diagnostics,
  otel,
  sqliteOutbox,
  sqliteReplies,
  keyvReplies,
  redisFleet,
  redisReplies,
  guardGlobalFetch,
  cloudwatch,
]
export const wrong = (): unknown[] => [
  // @ts-expect-error an unknown option
  createBoard({ openAfter: 3 }),
  // @ts-expect-error a number is no board
  breaker(5),
]
