// All that is promised whatever comes from outside: headers, snapshots, and what stores hold.
import { DIRECTIVES } from './directives.ts'
import { FLEET_RECORDS } from './fleet-records.ts'
import type { Fuzz } from './fuzz.ts'
import { KEEPING } from './keeping.ts'
import { RETRY_AFTER } from './retry-after.ts'
import { SNAPSHOTS } from './snapshots.ts'
import { STORED_REPLIES } from './stored-replies.ts'

export const FUZZ: readonly Fuzz[] = [DIRECTIVES, RETRY_AFTER, KEEPING, STORED_REPLIES, SNAPSHOTS, FLEET_RECORDS]
