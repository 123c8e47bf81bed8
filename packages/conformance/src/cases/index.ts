// All cases, in the order of their numbers.
import { aborts } from './aborts.ts'
import { answers } from './answers.ts'
import { bodies } from './bodies.ts'
import type { Case } from './case.ts'
import { failures } from './failures.ts'
import { fleets } from './fleets.ts'
import { halfOpen } from './half-open.ts'
import { hosts } from './hosts.ts'
import { layers } from './layers.ts'
import { load } from './load.ts'
import { redirects } from './redirects.ts'
import { refusals } from './refusals.ts'
import { replies } from './replies.ts'
import { secure } from './secure.ts'
import { standIns } from './stand-ins.ts'

export const CASES: readonly Case[] = [
  answers,
  failures,
  bodies,
  aborts,
  refusals,
  halfOpen,
  hosts,
  redirects,
  standIns,
  layers,
  load,
  secure,
  replies,
  fleets,
]
  .flat()
  .toSorted(
    (one, other) => Number.parseInt(one.id, 10) - Number.parseInt(other.id, 10) || one.id.localeCompare(other.id),
  )
