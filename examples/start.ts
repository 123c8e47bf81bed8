// Starts a program as its users do, so that tests can read what it prints.
import { spawn, type ChildProcess } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

export interface Run {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  /** Resolves when it has ended. */
  readonly run: Promise<Run>
}

export function start(main: URL, args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, [fileURLToPath(main), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  const run = Promise.all([text(child.stdout), text(child.stderr), ended])
  return { child, run: run.then(([stdout, stderr, status]) => ({ stdout, stderr, status })) }
}
