// The program as its users run it: a process, its output, its exit status, and what it leaves behind.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type TestContext } from 'vitest'
import { start as startProgram, type Started } from '../start.ts'

const start = (args: readonly string[], env?: Record<string, string>): Started =>
  startProgram(new URL('main.ts', import.meta.url), args, env)

async function emptyFolder({ onTestFinished }: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-paypal-test-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

// With the one all times are whole numbers, with the other most are not.
const RUNS = [
  ['1', '60'],
  ['2', '59'],
] as const

test.concurrent.for(RUNS)('keeps its promises with seed %s and scale %s', { timeout: 60_000 }, async (run, context) => {
  const [seed, scale] = run
  const folder = await emptyFolder(context)
  const { stdout, stderr, status } = await start(['--seed', seed, '--scale', scale], { TMPDIR: folder }).run
  expect({ stderr, status, broken: stdout.match(/✗.*/g) }).toEqual({ stderr: '', status: 0, broken: null })
  expect(stdout.match(/✓/g)).toHaveLength(8)
  const figure = (name: string): number => Number(new RegExp(`^ *${name} +(\\d+)$`, 'm').exec(stdout)?.[1])
  expect([figure('subscriptions lost'), figure('subscriptions made twice'), figure('pending in the outbox')]).toEqual([
    0, 0, 0,
  ])
  const [subscribed, pended] = [
    figure('told "subscribed", at the first click or the second'),
    figure('told "pending" for what waits in the outbox'),
  ]
  expect(figure('sent from the outbox')).toBe(pended)
  expect(figure('customers')).toBe(subscribed + pended)
  const [known, conflicts] = [
    figure('known by their key, also where no answer came'),
    figure('409, since the same one was under way'),
  ]
  expect(conflicts).toBe(stdout.match(/◇ pending +409/g)?.length)
  expect(figure('duplicates refused by PayPal')).toBe(known + conflicts)
  expect(known + conflicts).toBeGreaterThan(3)
  expect(stdout.match(/✉ to the admin: paypal open/g)).toHaveLength(1)
  expect(stdout).toMatch(/◇ pending .* [1-9]\d* waiting$/m)
  for (const says of ['sent, 503: it waits', 'queued by hand', 'not again']) expect(stdout).toContain(says)
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
  [['--scale', '0'], '--scale must be a whole number from 1 to 60, got "0"'],
  [['--customers', '3'], "Unknown option '--customers'"],
])('%s is a usage error', async (args, message) => {
  const { status, stdout, stderr } = await start(args).run
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
  expect(stderr).toContain(message)
  expect(stderr).toContain('usage: node examples/paypal/main.ts')
})

test.concurrent('--help says what there is', async () => {
  const { status, stdout } = await start(['--help']).run
  expect(status).toBe(0)
  for (const option of ['--scale', '--seed', '--help']) expect(stdout).toContain(option)
})
