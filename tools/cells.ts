// Runs the cells of a matrix, as many at a time as there are processors, and says how each went.
import { availableParallelism } from 'node:os'
import { run } from './pack.ts'

export interface Cell {
  readonly name: string
  /** Gives what there is to say besides, if anything; rejects with what went wrong. */
  run(): Promise<string | void>
}

/** Runs all cells; where one fails, the exit code says so. */
export async function runCells(cells: readonly Cell[]): Promise<void> {
  const queue = [...cells]
  const failures: string[] = []
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let cell = queue.shift(); cell; cell = queue.shift()) {
        const { name } = cell
        try {
          const note = await cell.run()
          console.log(`ok   ${name}${note ? `: ${note}` : ''}`)
        } catch (error) {
          console.log(`FAIL ${name}`)
          failures.push(`${name}\n${wordsOf(error)}`)
        }
      }
    }),
  )
  for (const failure of failures) console.error(`\n${failure}`)
  console.log(`${cells.length - failures.length} passed, ${failures.length} failed`)
  if (failures.length > 0) process.exitCode = 1
}

/** Runs a script with a Node, in a folder, by itself: of one process nothing is left where it hangs. */
export async function runScript(node: string, args: readonly string[], cwd: string): Promise<string> {
  const { stdout } = await run(node, args, { cwd, timeout: 120_000, env: { PATH: process.env.PATH } })
  return stdout
}

function wordsOf(error: unknown): string {
  const { stdout, stderr } = error as { stdout?: string; stderr?: string }
  return stdout || stderr ? [stdout, stderr].filter(Boolean).join('\n') : String(error)
}
