// What the command line says.
import { parse, UsageError, wholeNumber } from '../entry.ts'
import { CHOICES, type Choice } from './clients.ts'

export interface Options {
  /** How many times as fast as the real service everything runs. */
  readonly scale: number
  /** Shuffles the outages; without it they come in the order of the story. */
  readonly seed: number | undefined
  /** Which clients read. */
  readonly client: Choice
  /** Talks to bible-api.com itself. */
  readonly live: boolean
  /** How many processes share what they find; undefined for one that has nobody to share with. */
  readonly fleet: number | undefined
  /** One event a line, for programs. */
  readonly json: boolean
  readonly help: boolean
}

export const USAGE =
  'usage: node examples/bible/main.ts [--client name] [--scale 1..40] [--seed n] [--live] [--json] [--help] | --fleet 2..16'

export const HELP = `A program that reads verses while the service they come from is well, limits it, fails, hangs, disappears and comes back.

${USAGE}

  --client c  read with axios, ky, got, undici or fetch only (all, by turns)
  --scale n   run n times as fast as the real service, 1 to 40 (10; 1 takes five minutes)
  --seed n    shuffle the outages; the same whole number gives the same order
  --live      read a few verses from bible-api.com itself, at its own pace
  --fleet n   start n processes, 2 to 16, that open and recover together: they share what they find in Redis
  --json      print one event a line instead of the timeline
  --help      print this

Exit status: 0, 1 where a promise was broken (the reason is printed), 2 where an option is wrong, 130 after Ctrl-C.`

/** @throws UsageError */
export function readOptions(args: readonly string[]): Options {
  const { client, scale, seed, live, fleet, json, help } = parse(args, {
    client: { type: 'string', default: 'all' },
    scale: { type: 'string' },
    seed: { type: 'string' },
    live: { type: 'boolean', default: false },
    fleet: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  })
  if (fleet !== undefined && args.length > (args.includes('--fleet') ? 2 : 1)) {
    throw new UsageError('--fleet stands alone: it has a story of its own')
  }
  if (live && (scale !== undefined || seed !== undefined)) {
    throw new UsageError('--live has no scale and no seed: it goes at the pace of bible-api.com')
  }
  return {
    client: oneOf(client),
    scale: live ? 1 : wholeNumber('scale', scale ?? '10', 1, 40),
    seed: seed === undefined ? undefined : wholeNumber('seed', seed, 0, 2 ** 32 - 1),
    live,
    fleet: fleet === undefined ? undefined : wholeNumber('fleet', fleet, 2, 16),
    json,
    help,
  }
}

function oneOf(client: string): Choice {
  const choice = CHOICES.find((one) => one === client)
  if (choice) return choice
  throw new UsageError(`--client must be one of ${CHOICES.join(', ')}, got ${JSON.stringify(client)}`)
}
