// What takes too long for `test`: the real thing, put under stress for minutes. It talks to 127.0.0.1 only, and stops by itself.
import { optionsOrEnd, parse, UsageError, wholeNumber } from '../examples/entry.ts'
import { soakChaos } from './chaos/main.ts'
import { soakFleet } from './fleet/main.ts'
import { TRIALS } from './fleet/plans.ts'
import { soakFuzz } from './fuzz/main.ts'
import { soakLambda } from './lambda/main.ts'
import { soakOutbox } from './outbox/main.ts'

const isBrief = process.env['CI'] === 'true'
const USAGE = 'usage: node soak/main.ts [--only part] [--seed n] [--seconds 1..86400]'
const begun = Date.now()
const print = (line: string): void => console.log(line)

/** Chaos takes what the others have left of the time, and this at least, for fewer rounds tell nothing. */
const LEAST = 40
const left = (): number => Math.max(LEAST, seconds - (Date.now() - begun) / 1_000)

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

const { only, seed, seconds } = optionsOrEnd(USAGE, read)

print(`seed ${seed}`)
const broken = await run()
print(broken.length === 0 ? '\nAll bounds held.' : `\nBroken: ${broken.join('; ')}.`)
process.exitCode = broken.length === 0 ? 0 : 1

interface Options {
  readonly only: string | undefined
  readonly seed: number
  /** How long all of it takes. */
  readonly seconds: number
}

/** @throws UsageError */
function read(args: readonly string[]): Options {
  const { only, seed, seconds } = parse(args, {
    only: { type: 'string' },
    seed: { type: 'string' },
    seconds: { type: 'string' },
  })
  const trials = TRIALS.map(({ plan }) => plan.mode.name)
  if (only !== undefined && !Object.hasOwn(PARTS, only) && !trials.some((name) => name.includes(only))) {
    const parts = Object.keys(PARTS).join(', ')
    const ofTrials = trials.map((name) => `  ${name}`).join('\n')
    throw new UsageError(
      `--only must be one of ${parts}, or some of the name of a trial of the fleet, got ${JSON.stringify(only)}. Trials:\n${ofTrials}`,
    )
  }
  return {
    only,
    seed: seed === undefined ? Date.now() % 1_000_000 : wholeNumber('seed', seed, 0, 2 ** 31 - 1),
    seconds: seconds === undefined ? (isBrief ? 55 : 600) : wholeNumber('seconds', seconds, 1, 86_400),
  }
}

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
