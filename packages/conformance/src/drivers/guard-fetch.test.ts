// The cases, held against one guarded fetch.
import { GUARD_FETCH_GAPS } from '../gaps/fetch.ts'
import { conform } from '../suite.ts'
import { guardedFetch } from './guard-fetch.ts'

conform(guardedFetch, GUARD_FETCH_GAPS)
