// What the command line says.
import { parse, wholeNumber } from '../entry.ts'

export interface Options {
  /** Measures, and ends. */
  readonly load: boolean
  /** Requests a second. */
  readonly rate: number
  /** How long each of the three runs is. */
  readonly seconds: number
  readonly help: boolean
}

export const USAGE = 'usage: node examples/express/main.ts [--load [--rate 30..3000] [--seconds 3..600]] [--help]'

export const HELP = `A web service that asks three hosts through one board: one that is dead costs its own route, and no other.

${USAGE}

  --load       measure the other routes while one host is dead, beside a run in which all are well and one with FUSEBOARD=off
  --rate n     requests a second, over all routes and whatever comes back (150)
  --seconds n  how long each of the three runs is (8); a call of the dead host takes one second until its circuit opens
  --help       print this

Without --load it serves until Ctrl-C, and says what there is to try.

Exit status: 0, 1 where a promise was broken (the reason is printed), 2 where an option is wrong, 130 after Ctrl-C.`

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const { load, rate, seconds, help } = parse(args, {
    load: { type: 'boolean', default: false },
    rate: { type: 'string', default: '150' },
    seconds: { type: 'string', default: '8' },
    help: { type: 'boolean', default: false },
  })
  return { load, rate: wholeNumber('rate', rate, 30, 3_000), seconds: wholeNumber('seconds', seconds, 3, 600), help }
}
