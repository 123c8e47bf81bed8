// What the command line says.
import { parse, wholeNumber } from '../entry.ts'

export interface Options {
  /** How many times as fast as the policy says all waiting goes. */
  readonly scale: number
  /** Fixes what chance decides: where bodies break, in which order, which film changes. */
  readonly seed: number
  readonly help: boolean
}

export const USAGE = 'usage: node examples/video/main.ts [--scale 1..240] [--seed n] [--help]'

export const HELP = `A program that downloads videos while their server breaks off, stalls, goes away and comes back.

${USAGE}

  --scale n   wait n times shorter than the policy says, 1 to 240 (60: its 120 s are 2 s; 1 takes about ten minutes)
  --seed n    where bodies break, in which order, and which video changes; any whole number (1)
  --help      print this

Exit status: 0, 1 where a promise was broken (the reason is printed), 2 where an option is wrong, 130 after Ctrl-C.`

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const { scale, seed, help } = parse(args, {
    scale: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  })
  return { scale: wholeNumber('scale', scale, 1, 240), seed: wholeNumber('seed', seed, 0, 2 ** 32 - 1), help }
}
