// Fuseboard for undici, and for the native fetch of a whole process.
export { breaker, breaker as undiciBreaker } from './breaker.ts'
export { guardGlobalFetch } from './guard-global-fetch.ts'
