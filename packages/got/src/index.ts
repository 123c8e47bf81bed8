// Fuseboard for got: promises, streams and pagination.
export { breaker, breaker as gotBreaker } from './breaker.ts'
