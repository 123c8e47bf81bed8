// Fuseboard for ky.
export { breaker, breaker as kyBreaker } from './breaker.ts'
