// The gaps of axios. On its fetch adapter it has those of a guarded fetch, but for what an instance can do.
import { GUARD_FETCH_GAPS } from './fetch.ts'
import type { Gap } from './gap.ts'

const WHYS: Readonly<Record<string, string>> = {
  '36': 'axios has no API that gives a stream at once',
  '53': 'axios keeps no cache of its own; the one of axios-cache-interceptor is tested beside the adapter',
  '61': 'axios upgrades no connection',
  '61b': 'axios upgrades no connection',
}

export const AXIOS_HTTP_GAPS: readonly Gap[] = GUARD_FETCH_GAPS.flatMap((gap) => {
  const why = WHYS[gap.id]
  return why === undefined ? [] : [{ ...gap, why }]
})

export const AXIOS_FETCH_GAPS: readonly Gap[] = [
  ...AXIOS_HTTP_GAPS,
  ...GUARD_FETCH_GAPS.filter(({ why }) => why === 'fetch follows redirects inside'),
]
