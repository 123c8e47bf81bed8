// A million cases of what comes from outside, drawn by lot: prints how many were held against each promise, and which was broken.
import { fork } from 'node:child_process'
import { once } from 'node:events'

export interface Orders {
  readonly seed: number
  /** Of all promises together. */
  readonly cases: number
  /** Seconds after which no more cases are drawn. */
  readonly length: number
}

/** What came of one promise. */
export interface Found {
  readonly what: string
  readonly cases: number
  /** The smallest case that breaks it, and how. */
  readonly broken?: string | undefined
}

/** @returns the promises that were broken */
export async function soakFuzz(print: (line: string) => void, orders: Orders): Promise<readonly string[]> {
  const worker = fork(new URL('worker.ts', import.meta.url), [JSON.stringify(orders)])
  const ended = once(worker, 'exit').then(([code]: unknown[]) => Number(code))
  const found = await Promise.race([ended, once(worker, 'message').then(([told]) => told as readonly Found[])])
  print(`\nfuzz: headers, snapshots, and what stores hold, seed ${orders.seed}`)
  if (typeof found === 'number') return [`fuzz: its process ended with ${found}`]
  for (const { what, cases, broken } of found) {
    print(`  ${String(cases).padStart(9)} cases  ${what}`)
    if (broken !== undefined) print(`  BROKEN  ${broken}`)
  }
  return found.filter(({ broken }) => broken !== undefined).map(({ what }) => `fuzz: ${what}`)
}
