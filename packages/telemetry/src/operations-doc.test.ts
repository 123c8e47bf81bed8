// The page for whoever is woken: its code is what a program may say and do, it names what there is, and its figures are the simulation's.
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createBoard, type RefusalReason } from '@fuseboard/core'
import { blocksOf, typeFaults } from '../../../tools/code-blocks.ts'
import { POLICIES, resultsOf } from '../../core/test/simulation/policies.ts'

const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
const blocks = blocksOf(page)

// It is not installed here; what it makes is what `email` takes.
const NODEMAILER = `declare module 'nodemailer' {
  export function createTransport(url: string | undefined): { sendMail(mail: object): Promise<unknown> }
}`

describe('its code', { timeout: 60_000 }, () => {
  test('has the types that it needs', async () => {
    expect(blocks.length).toBeGreaterThan(5)
    expect(await typeFaults(blocks, 'telemetry', NODEMAILER)).toBe('')
  })

  const controls = blocks.filter((block) => !block.includes('@fuseboard/telemetry'))

  test.each(controls.map((block) => [/createBoard.*\n(?:.*\n)*?(.*board\.\w+)/.exec(block)?.[1] ?? '', block]))(
    'runs: %s',
    async (_which, block) => {
      const folder = mkdtempSync(join(tmpdir(), 'fuseboard-'))
      onTestFinished(() => rmSync(folder, { recursive: true }))
      symlinkSync(fileURLToPath(new URL('../node_modules', import.meta.url)), join(folder, 'node_modules'))
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
      writeFileSync(join(folder, 'block.ts'), block)
      const { stdout, stderr } = await promisify(execFile)(process.execPath, ['block.ts'], { cwd: folder })
      expect(stderr).toBe('')
      // What it says that it prints.
      for (const [, said = ''] of block.matchAll(/console\.log\(.*\) \/\/ (.*)/g)) {
        expect(stdout.split('\n')).toContain(said)
      }
    },
  )
})

describe('it names', () => {
  test('each reason for which a call is refused', () => {
    const reasons: Record<RefusalReason, true> = {
      open: true,
      probing: true,
      paused: true,
      isolated: true,
      throttled: true,
      full: true,
    }
    for (const reason of Object.keys(reasons)) expect(page).toContain(`| \`${reason}\` `)
  })

  test('each control of a board and of a circuit', () => {
    const board = createBoard()
    const circuit = board.circuit('a.test')
    for (const name of ['configure', 'snapshot', 'restore', 'shadowReport', 'reset'] as const) {
      expect(board[name]).toBeTypeOf('function')
      expect(page).toMatch(new RegExp(`\\b${name}\\(`))
    }
    for (const name of ['isolate', 'bypass', 'trip', 'reset', 'explain'] as const) {
      expect(circuit[name]).toBeTypeOf('function')
      expect(page).toMatch(new RegExp(`\\b${name}\\(`))
    }
    for (const said of ['FUSEBOARD=off', 'FUSEBOARD=shadow', 'maxInFlight', 'throttle']) expect(page).toContain(said)
  })
})

test('its figures are those of the simulation', { timeout: 120_000 }, async () => {
  for (const [name, policy] of Object.entries(POLICIES)) {
    const { brownout, coldStart, outage } = await resultsOf(policy)
    const cells = [brownout, coldStart, outage].map(
      ({ successes, failures }) => `${successes.toFixed(0)} / ${failures.toFixed(0)}`,
    )
    const row = page.split('\n').find((line) => line.startsWith(`| ${name} `))
    expect(row?.split('|').map((cell) => cell.trim())).toEqual(['', name, ...cells, ''])
  }
})
