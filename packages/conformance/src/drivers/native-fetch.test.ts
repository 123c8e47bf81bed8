// The cases, held against the fetch of a whole process.
import { NATIVE_FETCH_GAPS } from '../gaps/fetch.ts'
import { conform } from '../suite.ts'
import { nativeFetch } from './native-fetch.ts'

conform(nativeFetch, NATIVE_FETCH_GAPS)
