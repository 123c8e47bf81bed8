// A store that hangs in a process where nothing else is left to do: who waits for it is still told.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const SCRIPT = `
  import { createBoard, guardFetch, staleIfError } from '@fuseboard/core'
  const never = async () => new Promise(() => {})
  const board = createBoard({ fallback: staleIfError({ keepFor: '1h' }), replies: { get: never, set: never, delete: never } })
  board.circuit('api.example').isolate()
  await guardFetch(board)('http://api.example/').catch((error) => console.log(error.code))
`

// The timer of a read does not keep the process running, though a caller waits for it: it exits with 13.
test('the process does not end before the refusal', async () => {
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', SCRIPT], {
    cwd: import.meta.dirname,
  })
  expect((await run).stdout).toBe('EOPENBREAKER\n')
})
