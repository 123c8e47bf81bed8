// What stands in for a guarded fetch, and what its caller says of an answer after all.
import { describe, expect, test, vi } from 'vitest'
import { createBoard, fail, guardFetch, isFallback, reply, staleIfError, type BoardOptions } from './index.ts'

const down = (): Response => new Response('down', { status: 503 })

function guarding(options: BoardOptions, ...answers: (() => Response)[]) {
  const board = createBoard({ consecutiveFailures: false, failureRate: false, ...options })
  const settled: string[] = []
  board.on('settled', ({ verdict, amended, error }) =>
    settled.push(amended ? `amended to ${verdict}: ${(error as Error).message}` : verdict),
  )
  const own = async (): Promise<Response> => (answers.length > 1 ? answers.shift() : answers[0])?.() ?? down()
  return { board, settled, send: guardFetch(board, { fetch: own }) }
}

describe('a stand-in', () => {
  test('is a response of the URL that was asked, and so are its clones', async () => {
    const { send } = guarding({ fallback: reply({ json: { a: 1 }, status: 203, statusText: 'Made' }) })
    const response = await send('http://a.test/x')
    const { url, redirected, type, status, statusText, ok } = response
    expect({ url, redirected, type, status, statusText, ok }).toEqual({
      url: 'http://a.test/x',
      redirected: false,
      type: 'basic',
      status: 203,
      statusText: 'Made',
      ok: true,
    })
    const clone = response.clone()
    expect([clone.url, clone.type, await clone.json(), await response.json()]).toEqual([url, type, { a: 1 }, { a: 1 }])
  })

  test('is no redirect, unless the caller asked to see those', async () => {
    const { send } = guarding({ fallback: reply({ status: 301, headers: { location: '/y' }, text: '' }) })
    expect((await send('http://a.test/x')).status).toBe(503)
    expect((await send('http://a.test/x', { redirect: 'manual' })).status).toBe(301)
  })

  test('does not need a response that can be written to', async () => {
    const { send } = guarding({}, () => Object.freeze(new Response('frozen')))
    expect(await (await send('http://a.test/x')).text()).toBe('frozen')
  })

  test('has its URL as fetch writes it: whole, escaped, and without a fragment', async () => {
    const { send } = guarding({ fallback: reply({ text: 'made' }) })
    expect((await send('http://A.test:80/x y#part')).url).toBe('http://a.test/x%20y')
  })

  test('is nothing that can be said to have failed', async () => {
    const { send, settled } = guarding({ fallback: reply({ text: 'made' }) })
    const response = await send('http://a.test/')
    fail(response)
    expect([isFallback(response), settled]).toMatchObject([{ source: 'made', masked: { status: 503 } }, ['failure']])
  })

  test('gives the socket of the answer that it masks back', async () => {
    const cancelled = vi.fn<() => void>()
    const answer = (): Response => new Response(new ReadableStream({ cancel: cancelled }), { status: 503 })
    const { send } = guarding({ fallback: reply({ text: 'made' }) }, answer)
    expect(await (await send('http://a.test/')).text()).toBe('made')
    expect(cancelled).toHaveBeenCalledOnce()
  })

  test('that comes late keeps nobody who gives up', async () => {
    const { send, settled } = guarding({ fallback: () => new Promise(() => {}) })
    const caller = new AbortController()
    const call = send('http://a.test/', { signal: caller.signal })
    const reason = new Error('had enough')
    await vi.waitFor(() => expect(settled).toEqual(['failure']))
    caller.abort(reason)
    await expect(call).rejects.toBe(reason)
  })

  test('is not asked for where the caller gave up, or made a mistake', async () => {
    const standIn = vi.fn<() => undefined>()
    const { board } = guarding({ fallback: { standIn } })
    const aborts = (): Promise<never> => Promise.reject(new DOMException('gone', 'AbortError'))
    await expect(guardFetch(board, { fetch: aborts })('http://a.test/')).rejects.toThrow('gone')
    await expect(guardFetch(board)('http://a.test/', { method: 'GET', body: 'x' })).rejects.toThrow(TypeError)
    expect([standIn.mock.calls.length, board.circuit('a.test').counters]).toMatchObject([
      0,
      { ignored: 2, inFlight: 0 },
    ])
  })
})

describe('fail()', () => {
  test('makes a failure of a success, once, and says why', async () => {
    const { board, send, settled } = guarding({}, () => Response.json({ error: 'quota' }))
    const response = await send('http://a.test/')
    const { error } = (await response.json()) as { error: string }
    fail(response, new Error(error))
    fail(response)
    expect(settled).toEqual(['success', 'amended to failure: quota'])
    expect(board.circuit('a.test').counters).toMatchObject({ successes: 0, failures: 1, inFlight: 0 })
  })

  test('says that the answer was none where nobody says why', async () => {
    const { send, settled } = guarding({}, () => new Response('x'))
    fail(await send('http://a.test/'))
    expect(settled[1]).toBe('amended to failure: The caller says that the answer was none')
  })

  test('opens a circuit, and opens one again that a probe had closed', async () => {
    let now = 1_000
    const { board, send } = guarding(
      { consecutiveFailures: 2, openFor: '5s', clock: { now: () => now } },
      () => new Response('x'),
    )
    for (let call = 0; call < 2; call++) fail(await send('http://a.test/'))
    expect(board.circuit('a.test').state).toBe('open')
    now += 5_000
    const probe = await send('http://a.test/')
    expect(board.circuit('a.test').state).toBe('closed')
    fail(probe)
    expect(board.circuit('a.test').state).toBe('open')
  })

  test('leaves a failure, and what is no answer of a guarded client, as they are', async () => {
    const { send, settled } = guarding({})
    fail(await send('http://a.test/'))
    fail(new Response('x'))
    fail({})
    expect(settled).toEqual(['failure'])
  })

  test('after a body broke adds nothing', async () => {
    const breaks = new ReadableStream({
      pull(controller) {
        controller.error(new Error('cut'))
      },
    })
    const { send, settled } = guarding({}, () => new Response(breaks))
    const response = await send('http://a.test/')
    await expect(response.text()).rejects.toThrow('cut')
    fail(response)
    expect(settled).toEqual(['success', 'amended to failure: cut'])
  })

  test('drops what was being kept of the answer', async () => {
    const { send } = guarding({ fallback: staleIfError({ keepFor: '1d' }) }, () => Response.json({ error: 1 }), down)
    const response = await send('http://a.test/')
    fail(response)
    await response.text()
    expect((await send('http://a.test/')).status).toBe(503)
  })

  test('drops it also where the body was read first, as one who looks for an error in it does', async () => {
    const { send } = guarding({ fallback: staleIfError({ keepFor: '1d' }) }, () => Response.json({ error: 1 }), down)
    const response = await send('http://a.test/')
    await response.json()
    fail(response)
    expect((await send('http://a.test/')).status).toBe(503)
  })
})
