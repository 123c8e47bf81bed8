// What callers do, and what the program around a circuit does to it: aborts, listeners and filters that throw, odd functions.
import { getEventListeners } from 'node:events'
import type { Breaker, Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see, type Call, type World } from '../world.ts'

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'
const notAborted = { counts: (error: unknown): boolean => !isAbort(error) }
class NotFound extends Error {}

export const CALLERS: Group<Entrant> = {
  title: 'Callers, listeners and filters',
  file: 'callers.ts',
  behaviours: [
    {
      title: 'Calls that their callers abort open nothing',
      why: 'People leave pages and type on; the host is well.',
      async run(entrant, world) {
        const breaker = entrant.breaker(notAborted)
        for (let i = 0; i < 20; i++) await leave(world, breaker)
        see(!(await world.refuses(breaker)), 'twenty aborts opened it')
      },
    },
    {
      title: 'Nor do they make a host that fails look well',
      why: 'Counted as successes, the aborts of impatient callers hide that every answer is an error.',
      async run(entrant, world) {
        const breaker = entrant.breaker(notAborted)
        for (let i = 0; i < 8; i++) await leave(world, breaker)
        await world.fails(breaker, 6)
        see(await world.refuses(breaker), 'six failures and no success beside eight aborts left it closed')
      },
    },
    {
      title: 'A host that every caller gives up on, after 8 s, is found out',
      why: 'A host that hangs is seen only by callers who lose patience: most time limits are aborts.',
      async run(entrant, world) {
        const breaker = entrant.breaker(notAborted)
        const calls: Call[] = []
        const caller = new AbortController()
        for (let i = 0; i < 8; i++) calls.push(await world.begin(breaker, caller.signal))
        await world.pass(8_000)
        caller.abort()
        for (const call of calls) await call.fail(caller.signal.reason)
        see(await world.refuses(breaker), 'it was still asked after eight of them')
      },
    },
    {
      title: 'An expected error opens nothing',
      why: 'A 404, a declined card, a wrong password: the host works.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ counts: (error) => !(error instanceof NotFound) })
        await world.fails(breaker, 20, new NotFound())
        see(!(await world.refuses(breaker)), 'twenty of them opened it')
        await world.opens(entrant.breaker())
      },
    },
    {
      title: 'A filter of errors that throws costs the caller nothing, and the failure counts',
      why: 'A filter reads errors of any shape, and meets one without the field that it reads.',
      async run(entrant, world) {
        const breaker = entrant.breaker({
          counts() {
            throw new Error('a mistake in the filter')
          },
        })
        const failure = new Error('the host failed')
        const call = await world.begin(breaker)
        await call.fail(failure)
        see(call.state !== 'pending', 'the call never ends, and its caller waits for ever')
        see(call.value === failure, 'the caller got the error of the filter in place of its own')
        await world.fails(breaker, 3)
        see(await world.refuses(breaker), 'the failures did not count')
      },
    },
    {
      title: 'A listener that throws leaves the result of a call as it was',
      why: 'A mistake in the metrics is no reason for a payment to fail.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        breaker.on('succeeded', () => {
          throw new Error('a mistake in the metrics')
        })
        const call = await world.begin(breaker)
        await call.succeed('the answer')
        see(call.state !== 'pending', 'the call never ends, and its caller waits for ever')
        see(call.value === 'the answer', 'the caller got the error of the listener')
      },
    },
    {
      title: 'A listener that throws when it opens changes nothing for the caller',
      why: 'The call that opens a circuit is the one whose error is wanted most.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        breaker.on('opened', () => {
          throw new Error('a mistake in the alarm')
        })
        const failure = new Error('the host failed')
        await world.fails(breaker, 3)
        const call = await world.begin(breaker)
        await call.fail(failure)
        see(call.state !== 'pending', 'the call that opened it never ends')
        see(call.value === failure, 'the caller got the error of the listener in place of its own')
        see(await world.refuses(breaker), 'it did not open')
      },
    },
    {
      title: 'A listener whose promise is rejected does not end the program',
      why: 'An alarm is sent over the network, which fails when all else does; Node ends on a rejection that nobody catches.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        let heard = false
        breaker.on('opened', () => {
          heard = true
          return Promise.reject(new Error('the alarm could not be sent'))
        })
        await world.opens(breaker)
        see(heard, 'no listener was told that it opened')
        see(world.uncaught.length === 0, 'the rejection was caught by nobody')
      },
    },
    {
      title: 'Twenty failures in the same moment open it once',
      why: 'One outage is one alarm.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        let opened = 0
        breaker.on('opened', () => ++opened)
        const calls = []
        for (let i = 0; i < 20; i++) calls.push(await world.begin(breaker))
        await Promise.all(calls.map((call) => call.fail()))
        see(opened === 1, `it was told ${opened} times`)
      },
    },
    {
      title: 'A function that throws at once counts like one that rejects',
      why: 'A client throws before its first promise where it cannot even connect.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        for (let i = 0; i < 8; i++) {
          await breaker
            .call(() => {
              throw new Error('at once')
            })
            .catch(() => {})
        }
        see(await world.refuses(breaker), 'eight of them left it closed')
      },
    },
    {
      title: 'A function that gives no promise is taken as it is',
      why: 'Sooner or later one returns nothing, or a value that it had already.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        for (const value of [undefined, null, 42]) {
          const got = await breaker.call(() => value).catch(String)
          see(got === value, `the caller of one that gave ${String(value)} got an error`)
        }
        see(!(await world.refuses(breaker)), 'it opened')
      },
    },
    {
      title: 'Nothing is left on an abort signal that lives for long',
      why: 'A signal for the end of the program sees each call that it makes.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        const { signal } = new AbortController()
        for (let i = 0; i < 50; i++) await (await world.begin(breaker, signal)).succeed()
        const left = getEventListeners(signal, 'abort').length
        see(left === 0, `${left} listeners were left after 50 calls`)
      },
    },
  ],
}

/** A call whose caller leaves before the host has answered. */
async function leave(world: World, breaker: Breaker): Promise<void> {
  const caller = new AbortController()
  const call = await world.begin(breaker, caller.signal)
  caller.abort()
  await call.fail(caller.signal.reason)
}
