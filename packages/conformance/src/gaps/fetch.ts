// The gaps of native fetch, and of one guarded fetch above it.
import { expect } from 'vitest'
import { caught, refused } from '../world.ts'
import { noBase, passedBy, webSocketPasses, type Gap } from './gap.ts'

const FETCH_GAPS: readonly Gap[] = [
  noBase('fetch'),
  {
    id: '36',
    why: 'fetch has no API that gives a stream at once',
    instead: 'a refused fetch throws nothing, and gives a promise that rejects',
    async run({ at, client, circuit }) {
      circuit().trip()
      const promise = client.stream(at('/ok'))
      await refused(promise)
    },
  },
  {
    id: '42b',
    why: 'fetch takes no credentials in a URL',
    instead: 'credentials in a URL are the mistake of the caller',
    async run({ client, recorded, server }) {
      expect(await caught(client.call(`http://user:secret@localhost:${server.port}/ok`))).toBeInstanceOf(TypeError)
      await recorded([])
      expect(server.connections).toBe(0)
    },
  },
  {
    id: '53',
    why: 'the fetch of Node keeps no cache',
    instead: 'each call is an attempt, and is refused while open',
    async run({ at, client, circuit, recorded, server }) {
      const path = at('/cache?cc=max-age=60')
      for (const _ of [1, 2]) await client.call(path)
      await recorded(['success', 'success'])
      circuit().trip()
      await refused(client.call(path))
      expect(server.requests()).toBe(2)
    },
  },
]

export const NATIVE_FETCH_GAPS: readonly Gap[] = [
  ...FETCH_GAPS,
  passedBy('a dispatcher given to fetch takes the place of the global one, which is the guarded one'),
  {
    id: '75c',
    why: 'fetch asks with Cache-Control: no-cache where the request has a condition',
    instead: 'who has the answer already hears of the failure',
    async run({ at, client, server, status }) {
      const asked: unknown[] = []
      server.own = ({ headers }, response) => {
        asked.push(headers['cache-control'])
        response.writeHead(asked.length === 1 ? 200 : 503, { etag: '"v1"' }).end('kept')
      }
      await client.call(at('/own'))
      expect(await status('/own', { headers: { 'if-none-match': '"v1"' } })).toBe(503)
      expect(asked).toEqual([undefined, 'no-cache'])
      expect((await client.call(at('/own'))).text).toBe('kept')
    },
  },
]

/** guardFetch stands above fetch, which follows redirects inside: one attempt, charged to the host that was asked first. */
export const GUARD_FETCH_GAPS: readonly Gap[] = [
  ...FETCH_GAPS,
  {
    id: '43',
    why: 'fetch follows redirects inside',
    instead: 'a redirect and its target are one attempt',
    async run({ status, recorded }) {
      expect(await status('/redirect?to=/ok')).toBe(200)
      await recorded(['success'])
    },
  },
  {
    id: '43b',
    why: 'fetch follows redirects inside',
    instead: 'a redirect to another host is one attempt at the first',
    async run({ at, status, recorded, server }) {
      expect(await status(`/redirect?to=${server.alias}/ok`)).toBe(200)
      await recorded(['success'], at('/'))
      await recorded([], server.alias)
    },
  },
  {
    id: '44',
    why: 'fetch follows redirects inside',
    instead: 'a redirect to a host that refuses charges the first',
    async run({ at, client, recorded, server }) {
      const closed = await server.closedOrigin()
      await caught(client.call(at(`/redirect?to=${closed}/ok`)))
      await recorded(['failure'], at('/'))
      await recorded([], closed)
    },
  },
  {
    id: '45',
    why: 'fetch follows redirects inside',
    instead: 'a redirect to a host whose circuit is open is followed',
    async run({ circuit, recorded, server, status }) {
      circuit(server.alias).trip()
      expect(await status(`/redirect?to=${server.alias}/ok`)).toBe(200)
      await recorded(['success'])
      expect(server.requests('/ok')).toBe(1)
    },
  },
  {
    id: '58',
    why: 'guardFetch gives a new fetch and changes none',
    instead: 'the fetch that was guarded stays as it was',
    async run({ at, client, circuit, recorded }) {
      expect(client.uninstall).toBeUndefined()
      circuit().isolate()
      expect((await fetch(at('/ok'))).status).toBe(200)
      await refused(client.call(at('/ok')))
      await recorded([])
    },
  },
  webSocketPasses('61'),
  webSocketPasses('61b'),
]
