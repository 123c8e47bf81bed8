// Wrong options of staleIfError: each is told at once, by its name, its rule, and the value that was given.
import { describe, expect, test } from 'vitest'
import { createBoard, staleIfError } from './index.ts'

const TIME = "must be milliseconds or text such as '30s'"
const STATUSES = 'must be a list of statuses of whole answers that `on` does not name'
const IGNORABLE = 'must be a list of must-revalidate, proxy-revalidate, s-maxage, no-cache'

const WRONG: readonly [options: Record<string, unknown>, message: string][] = [
  [{ maxStale: '1 day' }, `TypeError: staleIfError.maxStale ${TIME}, got "1 day"`],
  [{ maxStale: -1 }, `TypeError: staleIfError.maxStale ${TIME}, got -1`],
  [{ maxStale: null }, `TypeError: staleIfError.maxStale ${TIME}, got null`],
  [{ when: 'open' }, 'TypeError: staleIfError.when must be one of "failed", "refused", got "open"'],
  [{ when: true }, 'TypeError: staleIfError.when must be one of "failed", "refused", got true'],
  [{ on: [600] }, 'RangeError: staleIfError.on must be a list of statuses from 400 to 599, got [600]'],
  [{ on: ['429'] }, 'RangeError: staleIfError.on must be a list of statuses from 400 to 599, got ["429"]'],
  [{ statuses: 200 }, `RangeError: staleIfError.statuses ${STATUSES}, got 200`],
  [{ statuses: ['200'] }, `RangeError: staleIfError.statuses ${STATUSES}, got ["200"]`],
  [{ statuses: [200, 206] }, `RangeError: staleIfError.statuses ${STATUSES}, got [200,206]`],
  [{ statuses: [304] }, `RangeError: staleIfError.statuses ${STATUSES}, got [304]`],
  [{ statuses: [503] }, `RangeError: staleIfError.statuses ${STATUSES}, got [503]`],
  [{ statuses: [429] }, `RangeError: staleIfError.statuses ${STATUSES}, got [429]`],
  [{ statuses: [999] }, `RangeError: staleIfError.statuses ${STATUSES}, got [999]`],
  [{ on: [404], statuses: [200, 404] }, `RangeError: staleIfError.statuses ${STATUSES}, got [200,404]`],
  [{ methods: 'GET' }, 'RangeError: staleIfError.methods must be a list of methods such as \'GET\', got "GET"'],
  [{ methods: ['GET '] }, 'RangeError: staleIfError.methods must be a list of methods such as \'GET\', got ["GET "]'],
  [{ methods: ['POST'] }, 'RangeError: staleIfError.methods needs a key where it is not GET or HEAD, got ["POST"]'],
  [{ key: 'url' }, 'TypeError: staleIfError.key must be a function, got "url"'],
  [{ partition: 'alice' }, 'TypeError: staleIfError.partition must be a function, got "alice"'],
  [{ partition: null }, 'TypeError: staleIfError.partition must be a function, got null'],
  [{ skip: true }, 'TypeError: staleIfError.skip must be a function, got true'],
  [{ shared: 'no' }, 'TypeError: staleIfError.shared must be a boolean, got "no"'],
  [{ shared: 0 }, 'TypeError: staleIfError.shared must be a boolean, got 0'],
  [{ ignore: 'no-cache' }, `RangeError: staleIfError.ignore ${IGNORABLE}, got "no-cache"`],
  [{ ignore: ['no-store'] }, `RangeError: staleIfError.ignore ${IGNORABLE}, got ["no-store"]`],
  [{ ignore: ['private'] }, `RangeError: staleIfError.ignore ${IGNORABLE}, got ["private"]`],
  [{ ignore: ['No-Cache'] }, `RangeError: staleIfError.ignore ${IGNORABLE}, got ["No-Cache"]`],
  [{ maxEntryBytes: 0 }, 'RangeError: staleIfError.maxEntryBytes must be a whole number of bytes above 0, got 0'],
  [{ mark: false }, 'TypeError: staleIfError.mark must be one of "headers", "symbol", got false'],
]

describe('a wrong option of staleIfError', () => {
  test.each(WRONG)('%o is told', (options, message) => {
    expect(() => staleIfError(options)).toThrow(message.slice(message.indexOf(' ') + 1))
    expect(() => staleIfError(options)).toThrow(message.startsWith('TypeError') ? TypeError : RangeError)
  })

  test('right ones are taken', () => {
    const options = {
      keepFor: '7d',
      maxStale: 0,
      when: 'refused',
      on: [429],
      statuses: [200, 404],
      methods: ['get', 'HEAD', 'POST'],
      key: () => 'k',
      partition: () => undefined,
      varyBy: ['X-A'],
      skip: () => false,
      shared: false,
      ignore: ['must-revalidate', 'no-cache'],
      maxEntryBytes: 1,
      mark: 'symbol',
    } as const
    expect(() => createBoard({ fallback: staleIfError(options) })).not.toThrow()
  })
})
