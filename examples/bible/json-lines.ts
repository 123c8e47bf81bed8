// Writes one event a line, for programs.
import type { Tell } from './events.ts'

/** Each event as JSON, with the milliseconds since the start; nothing else is written. */
export function jsonLines(out: NodeJS.WriteStream): Tell {
  const startedAt = performance.now()
  return (event) => out.write(`${JSON.stringify({ at: performance.now() - startedAt, ...event }, rounded)}\n`)
}

// Tenths of a millisecond say enough.
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value
}
