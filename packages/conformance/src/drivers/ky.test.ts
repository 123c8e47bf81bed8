// The cases, held against ky, and what takes a guarded dispatcher below it to show.
import { createBoard } from '@fuseboard/core'
import { breaker } from '@fuseboard/ky'
import { guardGlobalFetch } from '@fuseboard/undici'
import ky, { KyError, TimeoutError } from 'ky'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { faultServer } from '../fault-server.ts'
import { KY_GAPS } from '../gaps/ky.ts'
import { conform } from '../suite.ts'
import { caught, refused } from '../world.ts'
import { kyDriver } from './ky.ts'

conform(kyDriver, KY_GAPS)

describe('ky above a guarded dispatcher', () => {
  test('its time limit is a failure in both, also at the host of a redirect', async () => {
    const { api, log, server } = await layered()
    expect(await caught(api('slow-headers'))).toBeInstanceOf(TimeoutError)
    await vi.waitFor(() => expect(log).toEqual(['127.0.0.1 failure']))
    const away = new URLSearchParams({ to: `${server.alias}/slow-headers` })
    expect(await caught(api('redirect', { searchParams: away }))).toBeInstanceOf(TimeoutError)
    await vi.waitFor(() => expect(log).toEqual(['127.0.0.1 failure', '127.0.0.1 success', 'localhost failure']))
  })

  test('its time limit in the body is a failure once', async () => {
    const { api, log } = await layered()
    expect(await caught(api('slow-body').text())).toBeInstanceOf(TimeoutError)
    await vi.waitFor(() => expect(log).toEqual(['127.0.0.1 success', '127.0.0.1 amended to failure']))
  })

  test('a caller who gives up says nothing of the host', async () => {
    const { api, log, server } = await layered()
    const controller = new AbortController()
    const call = caught(api('slow-headers', { signal: controller.signal, timeout: 5_000 }))
    await server.asked('/slow-headers')
    controller.abort()
    await call
    await vi.waitFor(() => expect(log).toEqual(['127.0.0.1 ignored']))
  })

  test('a refusal by another board there ends the retries, and is of ky’s own kind', async () => {
    const { api, below, server } = await layered(createBoard())
    below.circuit(new URL(server.origin).host).trip()
    const refusals = vi.fn<() => void>()
    below.on('refused', refusals)
    const call = api('ok', { retry: { limit: 5, delay: () => 0, shouldRetry: () => true } })
    expect(await caught(call)).toBeInstanceOf(KyError)
    expect(await refused(call)).toMatchObject({ reason: 'open' })
    expect(refusals).toHaveBeenCalledOnce()
  })
})

/** A ky that is guarded by a board, above a dispatcher that is guarded: by the same, where no other is given. */
async function layered(above?: ReturnType<typeof createBoard>) {
  const server = await faultServer()
  onTestFinished(() => server.stop())
  const below = createBoard({
    hosts: { '127.0.0.1': {}, localhost: {} },
    failureRate: false,
    consecutiveFailures: false,
  })
  onTestFinished(guardGlobalFetch(below))
  const log: string[] = []
  below.on('settled', ({ key, verdict, amended }) =>
    log.push(`${key.split(':')[0]} ${amended ? 'amended to ' : ''}${verdict}`),
  )
  const api = ky.extend(breaker(above ?? below)).extend({ prefix: server.origin, retry: 0, timeout: 80 })
  return { api, below, log, server }
}
