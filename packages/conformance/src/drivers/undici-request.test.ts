// The cases, held against undici's own API.
import { UNDICI_GAPS } from '../gaps/undici.ts'
import { conform } from '../suite.ts'
import { undiciRequest } from './undici-request.ts'

conform(undiciRequest, UNDICI_GAPS)
