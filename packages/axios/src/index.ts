// Fuseboard for axios: a breaker for any instance, and an axios of its own that takes it by `use`.
export { axios as default, create } from './axios.ts'
export { breaker, breaker as axiosBreaker, unguard } from './breaker.ts'
export { pluggable, type Pluggable, type Plugin } from './pluggable.ts'

// As the types of the real one have them; the rest is on the default export.
export {
  all,
  Axios,
  AxiosError,
  AxiosHeaders,
  CanceledError,
  formToJSON,
  getAdapter,
  HttpStatusCode,
  isAxiosError,
  isCancel,
  mergeConfig,
  spread,
  toFormData,
} from 'axios'
export type * from 'axios'
