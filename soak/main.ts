// What takes too long for `test`: the real thing, put under stress for minutes. It talks to 127.0.0.1 only, and stops by itself.
import { parseArgs } from 'node:util'
import { soakFleet } from './fleet/main.ts'
import { soakLambda } from './lambda/main.ts'
import { soakOutbox } from './outbox/main.ts'

const { values } = parseArgs({ options: { only: { type: 'string' }, seed: { type: 'string' } } })
const { only, seed = `${Date.now() % 1_000_000}` } = values
const print = (line: string): void => console.log(line)

/** The parts with a name; whatever else is asked for is a trial of the fleet. */
const PARTS: Record<string, () => Promise<readonly string[]>> = {
  lambda: () => soakLambda(print),
  outbox: () => soakOutbox(print, Number(seed)),
}

const broken: string[] = []
if (only === undefined || !Object.hasOwn(PARTS, only)) broken.push(...(await soakFleet(print, only)))
for (const [part, soak] of Object.entries(PARTS)) {
  if (only === undefined || only === part) broken.push(...(await soak()))
}
console.log(broken.length === 0 ? '\nAll bounds held.' : `\nBroken: ${broken.join('; ')}.`)
process.exitCode = broken.length === 0 ? 0 : 1
