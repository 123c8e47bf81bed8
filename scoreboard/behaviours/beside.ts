// What a library offers beside the circuit itself.
import type { Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see, type Call } from '../world.ts'

export const BESIDE: Group<Entrant> = {
  title: 'Beside the circuit',
  file: 'beside.ts',
  behaviours: [
    {
      title: 'A call that takes too long is ended, and its function is told',
      why: 'What nobody waits for any more should not go on.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ timeLimit: 2_000 })
        const call = await world.begin(breaker)
        await world.pass(2_001)
        see(call.state === 'rejected', 'the caller still waits')
        see(call.ended, 'the function is not told')
      },
    },
    {
      title: 'The time limit of one call ends no other',
      why: 'A signal that calls share takes the healthy ones along.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ timeLimit: 2_000 })
        const slow = await world.begin(breaker)
        await world.pass(1_500)
        const healthy = await world.begin(breaker)
        await world.pass(501)
        see(slow.state === 'rejected', 'the time limit ended nothing')
        see(!healthy.ended, 'a call of half a second was told to end')
      },
    },
    {
      title: 'A call that fails is made again',
      why: 'Most failures are gone at the second try.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ retries: 2 })
        let calls = 0
        const answer = breaker.call(async () => {
          if (++calls === 1) throw new Error('the first time')
          return 'well'
        })
        await world.pass(10_000)
        see((await answer.catch(String)) === 'well', 'it was not')
      },
    },
    {
      title: 'No more than so many calls run at once',
      why: 'One slow host is not to take all connections, or all memory.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ atOnce: 2 })
        const calls = [await world.begin(breaker), await world.begin(breaker), await world.begin(breaker)]
        see(calls.filter(({ sent }) => sent).length === 2, 'the third was sent beside two others')
        await calls[0]?.succeed()
        see((await world.begin(breaker)).sent, 'none was sent when a place was free')
      },
    },
    {
      title: 'No more than so many run at once, though time limits have ended some for their callers',
      why: 'What runs on takes its connection along, whoever waits for it.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ atOnce: 2, timeLimit: 2_000, minimum: 1_000 })
        for (let i = 0; i < 2; i++) await world.begin(breaker)
        await world.pass(2_001)
        see(!(await world.begin(breaker)).sent, 'a third was sent while two were running')
      },
    },
    {
      title: 'Calls over that number wait for their turn',
      why: 'A short rush is better served late than not at all.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ atOnce: 1, waiting: 1 })
        const [first, second] = [await world.begin(breaker), await world.begin(breaker)]
        see(!second.sent && second.state === 'pending', 'the second does not wait')
        await first.succeed()
        see(second.sent, 'the second was not sent when it was its turn')
      },
    },
    {
      title: 'No more than so many calls a second are made',
      why: 'Staying under a quota costs less than being told of it.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ perSecond: 3 })
        const calls: Call[] = []
        for (let i = 0; i < 5; i++) calls.push(await world.begin(breaker))
        see(calls.filter(({ sent }) => sent).length === 3, 'more were')
        await world.pass(1_001)
        see((await world.begin(breaker)).sent, 'none was sent in the next second')
      },
    },
    {
      title: 'A function has something to give instead where it is refused or fails',
      why: 'An empty list is better than an error page.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ instead: 'nothing today' })
        for (let i = 0; i < 6; i++) {
          const call = await world.begin(breaker)
          await call.fail()
          see(
            call.value === 'nothing today',
            call.sent ? 'a call that failed gave its error' : 'a refused one gave an error',
          )
        }
      },
    },
    {
      title: 'The result of a function is kept, and given to later calls',
      why: 'What does not change need not be asked for.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ keepResultFor: 60_000 })
        await (await world.begin(breaker)).succeed('a')
        const second = await world.begin(breaker)
        see(!second.sent && second.value === 'a', 'it was called again')
        await world.pass(60_001)
        see((await world.begin(breaker)).sent, 'it was not called when its time was over')
      },
    },
    {
      title: 'Calls under way for the same thing become one',
      why: 'A page that becomes popular asks for the same thing a thousand times at once.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ shareResult: true })
        const [first, second] = [await world.begin(breaker), await world.begin(breaker)]
        await first.succeed('a')
        see(!second.sent && second.value === 'a', 'each was made')
      },
    },
    {
      title: 'In the first ten seconds of a program nothing opens it',
      why: 'While connections, caches and keys are made, failures say little.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ warmUp: true, window: 10_000 })
        await world.fails(breaker, 8)
        see(!(await world.refuses(breaker)), 'it opened')
        await world.pass(10_001)
        await world.opens(breaker)
      },
    },
    {
      title: 'It says how long calls take',
      why: 'The slowest call in a hundred is what users complain of.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        for (let i = 0; i < 10; i++) {
          const call = await world.begin(breaker)
          await world.pass(100)
          await call.succeed()
        }
        see(breaker.slowest() === 100, 'it says something else')
      },
    },
    {
      title: 'It asks the host by itself whether it is well',
      why: 'The failure is known before a user meets it.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        let asked = 0
        breaker.watch(async () => {
          if (++asked > 2) throw new Error('the host is down')
        })
        await world.pass(2_500)
        see(await world.refuses(breaker), 'a check that failed left it closed')
      },
    },
  ],
}
