// What is asked of circuit breakers, in the order of the page.
import type { Group } from './behaviour.ts'
import { BESIDE } from './behaviours/beside.ts'
import { CALLERS } from './behaviours/callers.ts'
import { CLOCKS } from './behaviours/clocks.ts'
import { COUNTING } from './behaviours/counting.ts'
import { HEALTHY } from './behaviours/healthy.ts'
import { HOSTS } from './behaviours/hosts.ts'
import { LATE } from './behaviours/late.ts'
import { OPERATING } from './behaviours/operating.ts'
import { PROBES } from './behaviours/probes.ts'
import type { Entrant } from './entrant.ts'

export const GROUPS: readonly Group<Entrant>[] = [
  HEALTHY,
  COUNTING,
  LATE,
  PROBES,
  CALLERS,
  CLOCKS,
  HOSTS,
  OPERATING,
  BESIDE,
]
