// The cases, held against axios on its http adapter.
import { AXIOS_HTTP_GAPS } from '../gaps/axios.ts'
import { conform } from '../suite.ts'
import { axiosHttp } from './axios.ts'

conform(axiosHttp, AXIOS_HTTP_GAPS)
