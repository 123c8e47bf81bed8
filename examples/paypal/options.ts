// What the command line says.
import { parse, wholeNumber } from '../entry.ts'

export interface Options {
  /** How many times as fast as the policy says all waiting goes. */
  readonly scale: number
  /** Fixes what chance decides: in which order PayPal fails, and who clicks twice. */
  readonly seed: number
  readonly help: boolean
}

export const USAGE = 'usage: node examples/paypal/main.ts [--scale 1..60] [--seed n] [--help]'

export const HELP = `A shop that subscribes customers while PayPal, a local one, fails, loses answers, stays away and comes back.

${USAGE}

  --scale n   wait n times shorter than the policy says, 1 to 60 (30: its 60 s are 2 s; 1 takes about five minutes)
  --seed n    in which order PayPal fails, and who clicks twice; any whole number (1)
  --help      print this

Exit status: 0, 1 where a promise was broken (the reason is printed), 2 where an option is wrong, 130 after Ctrl-C.`

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const { scale, seed, help } = parse(args, {
    scale: { type: 'string', default: '30' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  })
  return { scale: wholeNumber('scale', scale, 1, 60), seed: wholeNumber('seed', seed, 0, 2 ** 32 - 1), help }
}
