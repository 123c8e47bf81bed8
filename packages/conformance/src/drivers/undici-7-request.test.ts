// The cases, held against the API of undici 7.
import type * as Undici from 'undici'
import * as undici from 'undici-7'
import { UNDICI_GAPS } from '../gaps/undici.ts'
import { conform } from '../suite.ts'
import { undiciRequest } from './undici-request.ts'

conform(undiciRequest('undici 7 request', undici as unknown as typeof Undici), UNDICI_GAPS)
