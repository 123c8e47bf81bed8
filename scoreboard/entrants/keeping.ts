// Who keeps answers, each with the options that let them stand in for as long as it can.
import { createBoard, guardFetch, isFallback, staleIfError, type ReplyStore } from '@fuseboard/core'
import axios from 'axios'
import { buildStorage, setupCache, type AxiosStorage } from 'axios-cache-interceptor'
import { Cache, Circuit, SlidingTimeBreaker } from 'mollitia'
import Opossum from 'opossum'
import { Agent, cacheStores, interceptors, request } from 'undici'
import { Lacks, NotItsTrade } from '../entrant.ts'
import type { Got, KeepingEntrant } from '../keeper.ts'

const AN_HOUR = 3_600_000
/** For how long a result is good where a library does not read what the host says of it. */
const FRESH = 10_000
const BROKEN = new Error('the store is down')

const breaks = (): never => {
  throw BROKEN
}

const fuseboard: KeepingEntrant = {
  name: 'Fuseboard',
  keeper({ brokenStore, join } = {}) {
    if (join) throw new Lacks('it does not join requests')
    const store: ReplyStore = { get: breaks, set: breaks, delete: breaks }
    const board = createBoard({
      minimumCalls: 4,
      fallback: staleIfError({ keepFor: AN_HOUR }),
      ...(brokenStore && { replies: store }),
    })
    board.on('warning', () => {})
    const fetch = guardFetch(board)
    return {
      async get(url, headers = {}) {
        const response = await fetch(url, { headers })
        return { status: response.status, text: await response.text(), earlier: isFallback(response) !== undefined }
      },
      post: async (url) => (await fetch(url, { method: 'POST' })).text(),
    }
  },
}

const undici: KeepingEntrant = {
  name: 'undici cache',
  keeper({ brokenStore, join } = {}) {
    const store = new cacheStores.MemoryCacheStore()
    if (brokenStore) Object.assign(store, { get: breaks, createWriteStream: breaks, delete: breaks })
    const agent = new Agent()
    const dispatcher = agent.compose(interceptors.cache({ store }), ...(join ? [interceptors.deduplicate()] : []))
    return {
      async get(url, headers = {}) {
        // The answers say nothing of errors, so the request has to permit it.
        const permit = { 'cache-control': `stale-if-error=${AN_HOUR / 1_000}` }
        const {
          statusCode,
          headers: fields,
          body,
        } = await request(url, { dispatcher, headers: { ...permit, ...headers } })
        const text = await body.text()
        return { status: statusCode, text, earlier: fields['warning'] !== undefined || fields['age'] !== undefined }
      },
      post: async (url) => (await request(url, { dispatcher, method: 'POST' })).body.text(),
      close: () => agent.destroy(),
    }
  },
}

const axiosCache: KeepingEntrant = {
  name: 'axios-cache-interceptor',
  keeper({ brokenStore } = {}) {
    const broken = (): AxiosStorage => buildStorage({ find: breaks, set: breaks, remove: breaks })
    const client = setupCache(axios.create({ adapter: 'fetch', responseType: 'text' }), {
      cacheTakeover: false,
      // It is told what the answers depend on.
      vary: ['authorization', 'accept-language'],
      // Without it only what has an ETag or a Last-Modified is there when it is stale.
      modifiedSince: true,
      // Not for a 404, which says something.
      staleIfError: (response) => (response?.status ?? 500) >= 500 && AN_HOUR,
      ...(brokenStore && { storage: broken() }),
    })
    return {
      async get(url, headers = {}) {
        const { status, data, cached } = await client.get<string>(url, { headers, validateStatus: isGood })
        return { status, text: data, earlier: cached }
      },
      post: (url) => client.post(url),
    }
  },
}

const isGood = (status: number): boolean => status < 400

const opossum: KeepingEntrant = {
  name: 'opossum',
  keeper({ brokenStore, join } = {}) {
    const breaker = new Opossum(textOf, {
      timeout: false,
      volumeThreshold: 4,
      cache: true,
      cacheTTL: FRESH,
      ...(brokenStore && { cacheTransport: { get: breaks, set: breaks, flush: breaks } }),
      ...(join && { cache: false, coalesce: true }),
    })
    return { get: (url, headers = {}) => breaker.fire(url, headers), post }
  },
}

/** How mollitia marks what its cache gives. */
const FROM_CACHE = '_mollitiaIsFromCache'

const mollitia: KeepingEntrant = {
  name: 'mollitia',
  keeper({ brokenStore, join } = {}) {
    if (brokenStore) throw new NotItsTrade('its cache takes no store')
    if (join) throw new Lacks('it does not join calls')
    const cache = new Cache({
      ttl: FRESH,
      cacheClearInterval: AN_HOUR,
      adjustCacheParams: (_func, url: string, headers: object) => [url, JSON.stringify(headers)],
      getInformationFromCache: true,
    })
    const breaker = new SlidingTimeBreaker({ minimumNumberOfCalls: 4, slidingWindowSize: 30_000 })
    const circuit = new Circuit({ func: textOf, options: { modules: [cache, breaker] } })
    return {
      async get(url, headers = {}) {
        const got = await circuit.execute<Got & Readonly<Record<typeof FROM_CACHE, boolean>>>(url, headers)
        return { ...got, earlier: got[FROM_CACHE] }
      },
      post,
    }
  },
}

/** Those who guard functions are given one that reads the answer, and throws what is none. */
async function textOf(url: string, headers: Record<string, string>): Promise<Got> {
  const response = await fetch(url, { headers })
  const text = await response.text()
  if (response.status >= 500) throw new Error(`HTTP ${response.status}`)
  return { status: response.status, text, earlier: false }
}

const post = async (url: string): Promise<unknown> => (await fetch(url, { method: 'POST' })).text()

/** Keepers of answers, in the order of the columns. */
export const KEEPERS: readonly KeepingEntrant[] = [fuseboard, opossum, mollitia, axiosCache, undici]
