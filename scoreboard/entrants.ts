// Who takes part, in the order of the columns.
import type { Entrant } from './entrant.ts'
import { cockatiel } from './entrants/cockatiel.ts'
import { fuseboard } from './entrants/fuseboard.ts'
import { mollitia } from './entrants/mollitia.ts'
import { opossum } from './entrants/opossum.ts'

/** Circuit breakers. */
export const ENTRANTS: readonly Entrant[] = [fuseboard, opossum, cockatiel, mollitia]
