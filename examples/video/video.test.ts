// The program as its users run it: a process, its output, its exit status, and what it leaves behind.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type TestContext } from 'vitest'
import { start as startProgram, type Started } from '../start.ts'

const FILMS = ['lecture', 'concert', 'interview', 'encore', 'match', 'news', 'clip']

const start = (args: readonly string[], env?: Record<string, string>): Started =>
  startProgram(new URL('main.ts', import.meta.url), args, env)

async function emptyFolder({ onTestFinished }: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-video-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

// With the one all times are whole numbers, with the other most are not.
const RUNS = [
  ['1', '240'],
  ['2', '239'],
] as const

test.concurrent.for(RUNS)('keeps its promises with seed %s and scale %s', { timeout: 60_000 }, async (run, context) => {
  const [seed, scale] = run
  const folder = await emptyFolder(context)
  const { stdout, stderr, status } = await start(['--seed', seed, '--scale', scale], { TMPDIR: folder }).run
  expect({ stderr, status, broken: stdout.match(/✗.*/g) }).toEqual({ stderr: '', status: 0, broken: null })
  expect(stdout.match(/✓/g)).toHaveLength(8)
  for (const film of FILMS) expect(stdout).toMatch(new RegExp(`^ {2}${film}\\.mp4 .* ok$`, 'm'))
  expect(stdout).toMatch(/→ \{ status: 'failed', retry_later: true, retry_at: '[-\dT:.]+Z' \}/)
  expect(stdout).toContain('has changed, begins again from byte 0')
  expect(stdout).not.toContain('\u001B')
  expect(await readdir(folder)).toEqual([])
})

test.concurrent('Ctrl-C leaves nothing behind', async (context) => {
  const folder = await emptyFolder(context)
  const { child, run } = start([], { TMPDIR: folder })
  child.stdout!.once('data', () => child.kill('SIGINT'))
  const { stdout, stderr, status } = await run
  expect({ stderr, status, says: stdout.includes('Stopped.') }).toEqual({ stderr: '', status: 130, says: true })
  expect(await readdir(folder)).toEqual([])
}, 30_000)

test.concurrent.each([
  [['--scale', 'fast'], '--scale must be a whole number from 1 to 240, got "fast"'],
  [['--scale', '0'], '--scale must be a whole number from 1 to 240, got "0"'],
  [['--seed', '-1'], "Option '--seed' argument is ambiguous"],
  [['--seed', '1.5'], '--seed must be a whole number'],
  [['--film', 'x'], "Unknown option '--film'"],
  [['film.mp4'], "Unexpected argument 'film.mp4'"],
])('%s is a usage error', async (args, message) => {
  const { status, stdout, stderr } = await start(args).run
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain('usage: node examples/video/main.ts')
})

test.concurrent('--help says what there is', async () => {
  const { status, stdout } = await start(['--help']).run
  expect(status).toBe(0)
  for (const option of ['--scale', '--seed', '--help']) expect(stdout).toContain(option)
})
