// The cases, held against got's promises.
import { GOT_GAPS } from '../gaps/got.ts'
import { conform } from '../suite.ts'
import { gotPromise } from './got.ts'

conform(gotPromise, GOT_GAPS)
