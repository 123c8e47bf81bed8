// Core, guardFetch and ky in a browser, against a server on loopback.
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import { chromium, type Browser, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const CHROMIUM = '/usr/bin/chromium'
/** In CI a missing browser is a failure. */
const missing = !existsSync(CHROMIUM) && process.env.CI === undefined
if (missing) console.log(`skipped: the tests in a browser need ${CHROMIUM} (Debian's package chromium)`)

declare const location: { readonly host: string }

/** What the page has, once its script is loaded. */
interface Loaded {
  core: typeof import('@fuseboard/core')
  testing: typeof import('@fuseboard/core/testing')
  ky: typeof import('ky').default
  breaker: typeof import('@fuseboard/ky').breaker
}

describe.skipIf(missing)('in Chromium', () => {
  let status = 200
  let requests = 0
  let script = ''
  const server = createServer((request, response) => {
    if (request.url === '/')
      return void response.setHeader('content-type', 'text/html').end('<script src="/script.js"></script>')
    if (request.url === '/script.js') return void response.setHeader('content-type', 'text/javascript').end(script)
    if (request.url === '/verse') requests++
    response.writeHead(status, { 'content-type': 'application/json' }).end('{"text":"Jesus wept"}')
  })
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    script = await bundle()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
      ],
    })
    page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  })

  afterAll(async () => {
    await browser?.close()
    server.close()
  })

  test('an outage is noticed, stood in for, and over again', async () => {
    const ask = (): Promise<unknown> =>
      page.evaluate(async () => {
        const { verse, board } = globalThis as unknown as {
          verse: typeof fetch
          board: { circuit(key: string): { state: string } }
        }
        const response = await verse('/verse')
        const { isFallback } = (globalThis as unknown as Loaded).core
        const [text, mark] = [await response.text(), isFallback(response)]
        return [response.status, text, mark?.source, mark?.reason, board.circuit(location.host).state]
      })
    await page.evaluate(() => {
      const { core, testing } = globalThis as unknown as Loaded
      const clock = testing.manualClock()
      const board = core.createBoard({
        clock,
        consecutiveFailures: 2,
        openFor: '30s',
        fallback: [core.staleIfError({ keepFor: '1d' })],
      })
      Object.assign(globalThis, { clock, board, verse: core.guardFetch(board) })
    })

    expect(await ask()).toEqual([200, '{"text":"Jesus wept"}', undefined, undefined, 'closed'])
    status = 503
    expect(await ask()).toEqual([200, '{"text":"Jesus wept"}', 'stored', 'failed', 'closed'])
    expect(await ask()).toEqual([200, '{"text":"Jesus wept"}', 'stored', 'failed', 'open'])
    expect(requests).toBe(3)
    expect(await ask()).toEqual([200, '{"text":"Jesus wept"}', 'stored', 'refused', 'open'])
    expect(requests).toBe(3)

    status = 200
    await page.evaluate(() => (globalThis as unknown as { clock: { advance(ms: number): void } }).clock.advance(30_000))
    expect(await ask()).toEqual([200, '{"text":"Jesus wept"}', undefined, undefined, 'closed'])
  })

  test('a refusal is an error that says so', async () => {
    const refusal = await page.evaluate(async () => {
      const { core, testing } = globalThis as unknown as Loaded
      const board = core.createBoard({ clock: testing.manualClock() })
      board.circuit(location.host).trip('1m')
      const error: unknown = await core
        .guardFetch(board)('/verse')
        .catch((error: unknown) => error)
      const open = core.circuitOpen(error)
      return [
        open?.code,
        open?.host === location.host,
        open?.retryAfterMs,
        open?.message.includes('is open, retry in 60 s'),
      ]
    })
    expect(refusal).toEqual(['EOPENBREAKER', true, 60_000, true])
  })

  test('ky counts each of its tries, and does not try again what is refused', async () => {
    requests = 0
    status = 503
    const seen = await page.evaluate(async () => {
      const { breaker, core, ky } = globalThis as unknown as Loaded
      const board = core.createBoard({ consecutiveFailures: 2 })
      const http = ky.extend(breaker(board)).extend({ retry: { limit: 1, delay: () => 0 } })
      const failed = (): Promise<unknown> =>
        http.get(`http://${location.host}/verse`).then(
          () => 'well',
          (error: unknown) => error,
        )
      const [first, second] = [await failed(), await failed()]
      return [(first as Error).name, core.circuitOpen(second)?.reason, board.circuit(location.host).counters]
    })
    expect(seen).toMatchObject(['HTTPError', 'open', { failures: 2, refused: 1 }])
    expect(requests).toBe(2)
  })
})

async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: `import * as core from '@fuseboard/core'; import * as testing from '@fuseboard/core/testing'; import ky from 'ky'; import { breaker } from '@fuseboard/ky'; Object.assign(globalThis, { core, testing, ky, breaker })`,
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
  })
  return outputFiles[0]!.text
}
