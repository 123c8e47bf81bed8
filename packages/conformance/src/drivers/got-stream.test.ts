// The cases, held against got's streams.
import { GOT_STREAM_GAPS } from '../gaps/got.ts'
import { conform } from '../suite.ts'
import { gotStream } from './got.ts'

conform(gotStream, GOT_STREAM_GAPS)
