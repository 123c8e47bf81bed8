// What is counted, for how long, and against what.
import type { Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see, type Call } from '../world.ts'

const AN_HOUR = 3_600_000

export const COUNTING: Group<Entrant> = {
  title: 'Counting',
  file: 'counting.ts',
  behaviours: [
    {
      title: 'A few failures at the start open nothing',
      why: 'One failed call of one is a rate of 100 %.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ minimum: 10 })
        await world.fails(breaker, 3)
        see(!(await world.refuses(breaker)), 'three failures opened it, with a minimum of ten calls')
        await world.fails(breaker, 10)
        see(await world.refuses(breaker), 'ten more did not open it')
      },
    },
    {
      title: 'The rate is looked at when a success makes up the minimum',
      why: 'Where it is looked at after failures only, a host that is asked seldom is asked on in spite of what is known.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ minimum: 3 })
        await world.fails(breaker, 2)
        await world.works(breaker, 1)
        see(await world.refuses(breaker), 'two failures of three calls, with a rate of a half, left it closed')
      },
    },
    {
      title: 'Failures from before an idle hour are forgotten',
      why: 'A window of ten seconds that only calls move forward is as long as the night.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ window: 10_000 })
        await world.fails(breaker, 3)
        await world.pass(AN_HOUR)
        await world.fails(breaker, 1)
        see(!(await world.refuses(breaker)), 'one failure, an hour after three others, opened it')
        await world.fails(breaker, 4)
        see(await world.refuses(breaker), 'four more did not open it')
      },
    },
    {
      title: 'Failures are forgotten when the window has passed, though successes go on',
      why: 'A bad minute in the morning has no part in the rate of the afternoon.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ window: 10_000, minimum: 8 })
        await world.fails(breaker, 6)
        for (let second = 0; second < 20; second++) {
          await world.pass(1_000)
          if (second % 4 === 0) await world.works(breaker)
        }
        await world.fails(breaker, 2)
        see(!(await world.refuses(breaker)), 'failures of 20 s ago opened it, with a window of 10 s')
        await world.fails(breaker, 8)
        see(await world.refuses(breaker), 'eight more did not open it')
      },
    },
    {
      title: 'A circuit that has recovered starts anew',
      why: 'One failure after an outage is one failure; the outage is over.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ window: 30_000 })
        await world.opens(breaker)
        await world.pass(5_001)
        await world.works(breaker)
        await world.fails(breaker, 1)
        see(!(await world.refuses(breaker)), 'the first failure after it had recovered opened it again')
      },
    },
    {
      title: 'Calls that it refused do not count as calls',
      why: 'In the rate of a host, only what the host has seen says anything.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ window: 30_000 })
        await world.opens(breaker)
        for (let i = 0; i < 100; i++) await world.begin(breaker)
        await world.pass(5_001)
        await world.works(breaker)
        await world.fails(breaker, 10)
        see(await world.refuses(breaker), 'ten failures in a row left it closed after a hundred refusals')
      },
    },
    {
      title: 'A slow call counts where it is told so, though it succeeds',
      why: 'A host that takes 3 s for what takes 30 ms is about to fall over.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ slowAfter: 2_000, window: 60_000 })
        const calls: Call[] = []
        for (let i = 0; i < 6; i++) calls.push(await world.begin(breaker))
        await world.pass(3_000)
        for (const call of calls) await call.succeed()
        see(await world.refuses(breaker), 'six calls of 3 s, with 2 s for slow, left it closed')
      },
    },
    {
      title: 'A host that answers nothing is found out before any call has ended',
      why: 'Calls may take a minute, and a host that hangs holds them all for that minute.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ slowAfter: 2_000 })
        for (let tenth = 0; tenth < 100; tenth++) {
          await world.begin(breaker)
          await world.pass(100)
        }
        see(await world.refuses(breaker), 'after 10 s of silence, a hundred calls under way, the next was sent')
      },
    },
    {
      title: 'A storm of retries does not get through to a host that is down',
      why: 'A hundred callers who each try four times make an outage out of a stumble.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        let sent = 0
        for (let attempt = 0; attempt < 4; attempt++) {
          for (let caller = 0; caller < 100; caller++) {
            const call = await world.begin(breaker)
            if (call.sent) sent++
            await call.fail()
          }
          await world.pass(1_000)
        }
        see(sent <= 5, `${sent} of 400 attempts were sent`)
      },
    },
  ],
}
