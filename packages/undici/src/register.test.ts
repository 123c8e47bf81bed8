// A program that knows nothing of Fuseboard, run with it.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'

const register = new URL('register.ts', import.meta.url).href
const core = new URL('../../core/src/index.ts', import.meta.url).href
const APP = `
for (let call = 0; call < 5; call++) {
  await fetch(process.argv[2]).then(({ status }) => console.log(status), ({ cause }) => console.log(cause.code))
}`

const server = createServer((_request, response) => response.writeHead(503).end())
let dir: string

beforeEach(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  dir = await mkdtemp(join(tmpdir(), 'fuseboard-register-'))
  await writeFile(join(dir, 'app.mjs'), APP)
})

afterEach(async () => {
  await rm(dir, { recursive: true })
  server.closeAllConnections()
  server.close()
})

async function run(config?: string): Promise<{ lines: string[]; said: string }> {
  if (config !== undefined) await writeFile(join(dir, 'board.mjs'), config)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const env = { PATH: process.env.PATH, ...(config !== undefined && { FUSEBOARD_CONFIG: './board.mjs' }) }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--import', register, 'app.mjs', url], {
    cwd: dir,
    env,
  }).catch((error: { stdout: string; stderr: string }) => error)
  return { lines: stdout.trim().split('\n'), said: stderr }
}

test('it is guarded by the policy of its module', async () => {
  const { lines, said } = await run(`export default { hosts: { '127.0.0.1': { consecutiveFailures: 2 } } }`)
  expect(lines).toEqual(['503', '503', 'EOPENBREAKER', 'EOPENBREAKER', 'EOPENBREAKER'])
  expect(said).toBe('')
})

test('or by the board that its module makes, which may listen', async () => {
  const { lines } = await run(`
    import { createBoard } from ${JSON.stringify(core)}
    const board = createBoard({ consecutiveFailures: 1, hosts: { '127.0.0.1': {} } })
    board.on('transition', ({ to }) => console.log(to))
    export default board`)
  expect(lines).toEqual(['open', '503', 'EOPENBREAKER', 'EOPENBREAKER', 'EOPENBREAKER', 'EOPENBREAKER'])
})

test('without a module the defaults hold, and loopback is left alone', async () => {
  expect(await run()).toEqual({ lines: Array.from({ length: 5 }, () => '503'), said: '' })
})

test.each([
  ['export default 5', 'FUSEBOARD_CONFIG must name a module whose default export is a board or its options'],
  ['export default { openfor: 5 }', 'openfor is not an option'],
  ['export default', 'FUSEBOARD_CONFIG names a module that could not be loaded: ./board.mjs'],
])('%s ends the program before it begins, and says why', async (config, message) => {
  const { lines, said } = await run(config)
  expect(lines).toEqual([''])
  expect(said).toContain(message)
})
