// What takes too long for `test`: the real thing, put under stress for minutes. It talks to 127.0.0.1 only, and stops by itself.
import { parseArgs } from 'node:util'
import { soakChaos } from './chaos/main.ts'
import { soakFleet } from './fleet/main.ts'
import { soakFuzz } from './fuzz/main.ts'
import { soakLambda } from './lambda/main.ts'
import { soakOutbox } from './outbox/main.ts'

const { values } = parseArgs({
  options: { only: { type: 'string' }, seed: { type: 'string' }, seconds: { type: 'string' } },
})
const { only } = values
const seed = Number(values.seed ?? Date.now() % 1_000_000)
const isBrief = process.env['CI'] === 'true'
/** How long all of it takes, in seconds. */
const whole = Number(values.seconds ?? (isBrief ? 55 : 600))
const begun = Date.now()
const print = (line: string): void => console.log(line)

/** Chaos takes what the others have left of the time, and this at least, for fewer rounds tell nothing. */
const LEAST = 40
const left = (): number => Math.max(LEAST, whole - (Date.now() - begun) / 1_000)

const chaos = (): Promise<readonly string[]> => soakChaos(print, { seed, length: Math.round(left()) })
const fuzz = (): Promise<readonly string[]> => soakFuzz(print, { seed, cases: 1_000_000, length: Math.round(left()) })

/** The parts with a name; whatever else is asked for is a trial of the fleet. */
const PARTS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
  fleet: () => soakFleet(print, undefined),
  lambda: () => soakLambda(print),
  outbox: () => soakOutbox(print, seed),
  chaos,
  fuzz,
}

print(`seed ${seed}`)
const broken = await run()
print(broken.length === 0 ? '\nAll bounds held.' : `\nBroken: ${broken.join('; ')}.`)
process.exitCode = broken.length === 0 ? 0 : 1

async function run(): Promise<readonly string[]> {
  const part = only !== undefined && Object.hasOwn(PARTS, only) ? PARTS[only] : undefined
  if (part !== undefined) return part()
  if (only !== undefined) return soakFleet(print, only)
  // The short forms of these are among the tests.
  const long = isBrief
    ? []
    : [...(await soakFleet(print, undefined)), ...(await soakLambda(print)), ...(await soakOutbox(print, seed))]
  // They measure nothing that the other could disturb.
  return [...long, ...(await Promise.all([chaos(), fuzz()])).flat()]
}
