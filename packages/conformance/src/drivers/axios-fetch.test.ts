// The cases, held against axios on its fetch adapter.
import { AXIOS_FETCH_GAPS } from '../gaps/axios.ts'
import { conform } from '../suite.ts'
import { axiosFetch } from './axios.ts'

conform(axiosFetch, AXIOS_FETCH_GAPS)
