// Who keeps answers, on the same traffic: each request of a healthy host is for a URL of its own, so that each answer is kept
// and none is served; each stand-in is for one that was kept and is stale. The hosts answer at once, inside the process.
import { breaker } from '@fuseboard/undici'
import { createBoard, guardFetch, staleIfError, type Board, type ReplyStore } from '@fuseboard/core'
import axios, { AxiosError, AxiosHeaders, type AxiosAdapter } from 'axios'
import { buildMemoryStorage, setupCache, type CacheOptions } from 'axios-cache-interceptor'
import { cacheStores, Dispatcher, interceptors, request } from 'undici'
import type { Subject } from './loops.ts'

const answers: AxiosAdapter = async (config) => {
  if (down) throw new AxiosError('refused', 'ECONNREFUSED', config)
  return { data: BODY, status: 200, statusText: 'OK', headers: new AxiosHeaders(HEAD), config, request: undefined }
}

/** The others parse nothing either. */
const AS_TEXT = { adapter: answers, transformResponse: (data: string) => data }

const ORIGIN = 'http://api.example'
const HOST = 'api.example'
const BODY = JSON.stringify({ reference: 'John 3:16', text: 'For God so loved the world' })
const BYTES = Buffer.from(BODY)
/** Stale at once, and good for an hour of outage. */
const HEAD = {
  'content-type': 'application/json',
  'content-length': `${BYTES.length}`,
  etag: '"1"',
  'cache-control': 'max-age=0, stale-if-error=3600',
}
const RAW = Object.entries(HEAD)
  .flat()
  .map((text) => Buffer.from(text))

const keeping = (): Board => createBoard({ fallback: staleIfError() })

/** Requests of a healthy host: what each client costs by itself, and with something that keeps what it brings. */
export function healthy(): Subject[] {
  const cached = axios.create(AS_TEXT)
  setupCache(cached, cacheOptions())
  const plain = axios.create(AS_TEXT)
  const host = new Answering()
  return [
    fetching('guardFetch, keeping off', guardFetch(createBoard(), { fetch: answering })),
    fetching('guardFetch, keeping on', guardFetch(keeping(), { fetch: answering })),
    asking('undici breaker, keeping off', host.compose(breaker(createBoard()))),
    asking('undici breaker, keeping on', host.compose(breaker(keeping()))),
    asking('undici', host),
    asking('undici cache interceptor', host.compose(interceptors.cache({ store: new cacheStores.MemoryCacheStore() }))),
    { name: 'axios', call: async () => (await plain.get<string>(fresh())).data.length },
    { name: 'axios-cache-interceptor', call: async () => (await cached.get<string>(fresh())).data.length },
  ]
}

/** Stand-ins for a host that is left alone: what lies beneath fails at once, and nothing is sent. */
export async function standIns(): Promise<Subject[]> {
  const board = keeping()
  const guarded = guardFetch(board, { fetch: answering })
  const host = new Answering()
  const below = host.compose(breaker(board))
  const cached = host.compose(refusing, interceptors.cache({ store: new cacheStores.MemoryCacheStore() }))
  const http = axios.create(AS_TEXT)
  setupCache(http, cacheOptions())
  const url = `${ORIGIN}/john+3:16`

  const subjects: Subject[] = [
    { name: 'a response that is made', call: async () => (await (await answering(url)).text()).length },
    { name: 'guardFetch', call: async () => (await (await guarded(url)).text()).length },
    { name: 'undici breaker', call: async () => lengthBy(below, url) },
    { name: 'undici cache interceptor', call: async () => lengthBy(cached, url) },
    { name: 'axios-cache-interceptor', call: async () => (await http.get<string>(url)).data.length },
  ]
  for (const { call } of subjects) await call()
  board.circuit(HOST).isolate()
  down = true
  for (const { name, call } of subjects) {
    if ((await call()) !== BODY.length) throw new Error(`Nothing stood in through ${name}`)
  }
  return subjects
}

/** Milliseconds on the wall from a call to its refusal, where the store never answers. */
export async function hangingStore(): Promise<number> {
  const never = async (): Promise<never> => new Promise(() => {})
  const replies: ReplyStore = { get: never, set: never, delete: never }
  const board = createBoard({ fallback: staleIfError({ keepFor: '1h' }), replies })
  const guarded = guardFetch(board, { fetch: answering })
  board.circuit(HOST).isolate()
  // A store in use has a socket, which keeps the process running.
  const socket = setInterval(() => {}, 1_000)
  const from = performance.now()
  const end = await guarded(fresh()).catch(() => undefined)
  clearInterval(socket)
  if (end) throw new Error('Something stood in out of a store that hangs')
  return performance.now() - from
}

/** Without limits, since it sorts all that it holds to make room; and as it comes it asks hosts for what no cache has had. */
const cacheOptions = (): CacheOptions => ({
  cacheTakeover: false,
  staleIfError: 3_600_000,
  storage: buildMemoryStorage(false, false, false),
})

let down = false
let urls = 0
const fresh = (): string => `${ORIGIN}/${++urls}`

const answering = async (_url: unknown): Promise<Response> => new Response(BODY, { headers: HEAD })

const fetching = (name: string, guarded: typeof fetch): Subject => ({
  name,
  call: async () => (await (await guarded(fresh())).text()).length,
})

const asking = (name: string, dispatcher: Dispatcher): Subject => ({
  name,
  call: () => lengthBy(dispatcher, fresh()),
})

async function lengthBy(dispatcher: Dispatcher, url: string): Promise<number> {
  const { body } = await request(url, { dispatcher })
  return (await body.text()).length
}

/** A host as undici meets it. */
class Answering extends Dispatcher {
  override dispatch(_options: object, handler: Dispatcher.DispatchHandler): boolean {
    const controller = controllerOf()
    handler.onRequestStart?.(controller, {})
    queueMicrotask(() => {
      handler.onResponseStart?.(controller, 200, { ...HEAD }, 'OK')
      handler.onResponseData?.(controller, BYTES)
      handler.onResponseEnd?.(controller, {})
    })
    return true
  }
}

/** What an open circuit is to undici's cache: an error that comes at once. */
const refusing: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
  if (!down) return dispatch(options, handler)
  const controller = controllerOf()
  handler.onRequestStart?.(controller, {})
  handler.onResponseError?.(controller, new Error('refused'))
  return true
}

function controllerOf(): Dispatcher.DispatchController {
  return {
    aborted: false,
    paused: false,
    reason: null,
    rawHeaders: RAW,
    rawTrailers: [],
    abort() {},
    pause() {},
    resume() {},
  }
}
