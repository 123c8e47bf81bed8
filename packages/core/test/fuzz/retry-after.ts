// Whatever a host writes into Retry-After: no call waits for longer than the policy lets any host say.
import fc from 'fast-check'
import { createBoard, retryAfter } from '../../src/index.ts'
import { manualClock } from '../../src/testing.ts'
import type { Fuzz } from './fuzz.ts'

const NOW = 1_700_000_000_000
const OPEN_FOR = 5_000
const MAX_PAUSE = 60_000

const moments = fc.date({ noInvalidDate: true }).map((date) => date.toUTCString())
const near = fc.integer({ min: -200_000, max: 200_000 }).map((ms) => new Date(NOW + ms).toUTCString())
const seconds = fc.oneof(
  fc.nat(200).map(String),
  fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String),
  fc.nat(400).map((digits) => '9'.repeat(digits + 1)),
)
const garbage = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '-1',
    '+5',
    '1.5',
    '1e3',
    '0x10',
    'NaN',
    'Infinity',
    'soon',
    '5 seconds',
    '2099',
    '1, 2',
    'null',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.tuple(seconds, fc.string({ maxLength: 3 })).map(([text, more]) => text + more),
)
const value = fc.oneof(seconds, near, moments, garbage)
const fields = fc.array(
  fc.tuple(fc.constantFrom('retry-after', 'Retry-After', 'RETRY-AFTER', 'date', 'Date', 'x'), value),
  { maxLength: 4 },
)

/** What is said of seconds, and of a date against another, in the form that hosts are to write. */
function expected(headers: readonly (readonly [string, string])[]): number | undefined {
  const all = (name: string): string =>
    headers
      .filter(([field]) => field.toLowerCase() === name)
      .map(([, text]) => text)
      .join(', ')
  const [after, date] = [all('retry-after').trim(), all('date')]
  if (/^[0-9]{1,12}$/.test(after)) return Number(after) * 1_000
  const form = /^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/
  if (!form.test(after) || !(date === '' || form.test(date))) return undefined
  return Math.max(0, Date.parse(after) - (date === '' ? NOW : Date.parse(date)))
}

export const RETRY_AFTER: Fuzz = {
  what: 'no Retry-After makes anybody wait for longer than maxPause',
  share: 100,
  holds: fc.property(fields, fc.boolean(), (headers, limited) => {
    const wait = retryAfter(headers, NOW)
    if (wait !== undefined && !(Number.isFinite(wait) && wait >= 0)) throw new Error(`a wait of ${wait} ms`)
    const known = expected(headers)
    if (known !== undefined && wait !== known) throw new Error(`a wait of ${wait} ms, and it says ${known}`)

    const clock = manualClock(NOW)
    const board = createBoard({
      clock,
      consecutiveFailures: 1,
      openFor: OPEN_FOR,
      maxPause: MAX_PAUSE,
      rateLimit: 'pause',
    })
    const request = { method: 'GET', url: 'http://host.test/' }
    const first = board.attempt(request)
    first.settle({ status: limited ? 429 : 503, headers })
    const second = board.attempt(request)
    const longest = limited ? MAX_PAUSE : Math.max(OPEN_FOR, MAX_PAUSE)
    if (second.refused) {
      const { retryAfterMs = 0 } = second.refusal ?? {}
      if (!(retryAfterMs >= 0 && retryAfterMs <= longest)) throw new Error(`refused for ${retryAfterMs} ms`)
    } else if (!limited) throw new Error('a failure did not open it')
    second.release()
    clock.advance(longest)
    const last = board.attempt(request)
    if (last.refused) throw new Error(`still refused after ${longest} ms: ${last.refusal?.message}`)
  }),
}
