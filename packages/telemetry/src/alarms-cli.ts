#!/usr/bin/env node
// fuseboard-alarms: prints the CloudWatch alarms of a board.
import { alarmsCommand } from './alarms-command.ts'
import { wordsOf } from './checks.ts'

try {
  const { text, notes } = await alarmsCommand(process.argv.slice(2))
  for (const note of notes) process.stderr.write(`fuseboard-alarms: ${note}\n`)
  // The board's module may hold connections open, which are nothing to wait for.
  process.stdout.write(text, () => process.exit(0))
} catch (error) {
  process.stderr.write(`fuseboard-alarms: ${wordsOf(error)}\n`, () => process.exit(2))
}
