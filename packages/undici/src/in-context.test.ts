// Whose a request is, where AsyncLocalStorage says it: hops and retries are sent out of the callbacks of a socket that another
// caller opened.
import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBoard, reply, staleIfError, type BoardOptions } from '@fuseboard/core'
import { Agent, fetch, getGlobalDispatcher, interceptors, setGlobalDispatcher, type Dispatcher } from 'undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { breaker } from './breaker.ts'
import { guardGlobalFetch } from './guard-global-fetch.ts'

const user = new AsyncLocalStorage<string>()
const partition = (): string | undefined => user.getStore()
const kept = staleIfError({ keepFor: '1h', partition })
const policy = { fallback: kept, failureRate: false, consecutiveFailures: false } as const
const redirect = interceptors.redirect({ maxRedirections: 3 })
const retry = interceptors.retry({ minTimeout: 1, maxRetries: 1 })

/** One connection, which whoever comes first opens. */
const pooled = (...above: Dispatcher.DispatcherComposeInterceptor[]): Dispatcher => {
  const agent = new Agent({ connections: 1 })
  onTestFinished(() => agent.destroy())
  return agent.compose(...above)
}

test.each([
  ['redirect', [redirect]],
  ['retry and redirect', [retry, redirect]],
  ['redirect and retry', [redirect, retry]],
])(
  'below %s each caller on one connection is known by its own context, and gets its own reply',
  async (_name, above) => {
    const { origin, fail } = await host()
    const dispatcher = pooled(breaker(createBoard(policy)), ...above)
    expect(await both(dispatcher, origin)).toEqual(['of alice', 'of bob'])
    fail()
    expect(await both(dispatcher, origin)).toEqual(['of alice', 'of bob'])
    expect(await askAs('carol', dispatcher, origin)).not.toContain('of ')
  },
)

describe('a redirect from a host', () => {
  test.each<[string, (here: string, there: string) => BoardOptions]>([
    ['that is left unguarded', (here) => ({ ...policy, hosts: { [here]: false } })],
    ['that has no fallback of its own', (here) => ({ ...policy, hosts: { [here]: { fallback: [] } } })],
    ['beside one that has one', (_here, there) => ({ hosts: { [there]: policy } })],
    ['that a function knows', (_here, there) => ({ hosts: (name) => (name === there ? policy : undefined) })],
  ])('%s leads to the reply of the caller', async (_name, options) => {
    const there = await host()
    const here = await host(`${there.origin}/me`)
    const board = createBoard(options(new URL(here.origin).host, new URL(there.origin).host))
    const dispatcher = pooled(breaker(board), redirect)
    expect(await both(dispatcher, here.origin)).toEqual(['of alice', 'of bob'])
    there.fail()
    expect(await both(dispatcher, here.origin)).toEqual(['of alice', 'of bob'])
  })

  test('next door, which the guard of a process leaves out, does so too', async () => {
    const there = await host()
    const here = await host(`${there.origin}/me`)
    const before = getGlobalDispatcher()
    onTestFinished(() => setGlobalDispatcher(before))
    setGlobalDispatcher(pooled())
    onTestFinished(guardGlobalFetch({ hosts: { [new URL(there.origin).host]: policy } }))
    const dispatcher = getGlobalDispatcher().compose(redirect)
    expect(await both(dispatcher, here.origin)).toEqual(['of alice', 'of bob'])
    there.fail()
    expect(await both(dispatcher, here.origin)).toEqual(['of alice', 'of bob'])
  })
})

test('a function of the list is asked in the context of its caller', async () => {
  const { origin, fail } = await host()
  const made = (): ReturnType<typeof reply> => reply({ text: `for ${user.getStore()}` })
  const dispatcher = pooled(breaker(createBoard({ ...policy, fallback: made })))
  fail()
  expect(await both(dispatcher, `${origin}/me`)).toEqual(['for alice', 'for bob'])
})

test('fetch follows redirects in the context of its caller', async () => {
  const { origin, fail } = await host()
  const dispatcher = pooled(breaker(createBoard(policy)))
  const ask = async (name: string): Promise<string> =>
    user.run(name, async () => (await fetch(origin, { dispatcher, headers: { 'x-user': name } })).text())
  expect(await Promise.all(['alice', 'bob'].map(ask))).toEqual(['of alice', 'of bob'])
  fail()
  expect(await Promise.all(['alice', 'bob'].map(ask))).toEqual(['of alice', 'of bob'])
})

test('what joins requests above the breaker joins callers whom only their contexts tell apart', async () => {
  const { origin, fail } = await host()
  const dispatcher = pooled(breaker(createBoard(policy)))
  expect(await askAs('alice', dispatcher, `${origin}/me`)).toBe('of alice')
  fail()
  const ask = async (name: string, by: Dispatcher): Promise<number> =>
    user.run(name, async () => {
      const { statusCode, body } = await by.request({ origin, path: '/me', method: 'GET' })
      await body.dump()
      return statusCode
    })
  expect(await Promise.all(['alice', 'bob'].map((name) => ask(name, dispatcher)))).toEqual([200, 503])
  const joined = dispatcher.compose(interceptors.deduplicate())
  expect(await Promise.all(['alice', 'bob'].map((name) => ask(name, joined)))).toEqual([200, 200])
})

/** A host that leads from any path to that of the user, whose name it answers with, until it fails. */
async function host(location = '/me'): Promise<{ origin: string; fail: () => void }> {
  let well = true
  const listener: RequestListener = ({ url, headers }, response) => {
    if (url !== '/me') return response.writeHead(302, { location }).end() && undefined
    response.writeHead(well ? 200 : 503).end(well ? `of ${String(headers['x-user'])}` : 'down')
  }
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, fail: () => (well = false) }
}

async function askAs(name: string, dispatcher: Dispatcher, url: string): Promise<string> {
  const { origin, pathname: path } = new URL(url)
  return user.run(name, async () => {
    const { body } = await dispatcher
      .request({ origin, path, method: 'GET', headers: { 'x-user': name } })
      .catch((error: unknown) => ({ body: { text: async () => String(error) } }))
    return body.text()
  })
}

const both = async (dispatcher: Dispatcher, origin: string): Promise<string[]> =>
  Promise.all(['alice', 'bob'].map((name) => askAs(name, dispatcher, origin)))
