// A big download under a policy that keeps answers: it passes, and no more of it is held than without.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Held, WAYS } from './downloading.ts'
import { faultServer, type FaultServer } from './fault-server.ts'

const MIB = 1 << 20
const SIZE = 256 * MIB

let server: FaultServer

beforeAll(async () => {
  server = await faultServer()
})

afterAll(() => server.stop())

test.each([
  ['guardFetch', 'fetch'],
  ['breaker', 'undici'],
] as const)('%s holds no more than %s does, and 20 MiB', async (guarded, plain) => {
  const [bare, own] = await Promise.all([download(plain), download(guarded)])
  expect([bare.read, own.read]).toEqual([SIZE, SIZE])
  expect(own.most).toBeLessThan(bare.most + 20 * MIB)
})

test('what would hold it all is seen here to do so', async () => {
  expect((await download('a clone', 128 * MIB)).most).toBeGreaterThan(80 * MIB)
})

/** Downloads in a process of its own, where nothing else is held. */
async function download(way: keyof typeof WAYS, size = SIZE): Promise<Held> {
  const child = fork(new URL('downloading.ts', import.meta.url), [way, `${server.origin}/big?n=${size / 65_536}`], {
    execArgv: ['--expose-gc'],
  })
  const [held] = (await Promise.race([once(child, 'message'), once(child, 'exit').then(failed)])) as [Held]
  return held
}

function failed(): never {
  throw new Error('The download failed: see above')
}
