// The cases, held against axios on its http adapter.
import { AXIOS_HTTP_GAPS } from '../gaps/axios.ts'
import { conform } from '../suite.ts'
import { axiosHttp } from './axios.ts'

// Its http adapter unpacks a body and leaves the length that it had packed.
conform(axiosHttp, AXIOS_HTTP_GAPS, ['71', '71c'])
