// The cases, held against undici's own API.
import * as undici from 'undici'
import { UNDICI_GAPS } from '../gaps/undici.ts'
import { conform } from '../suite.ts'
import { undiciRequest } from './undici-request.ts'

conform(undiciRequest('undici.request', undici), UNDICI_GAPS)
