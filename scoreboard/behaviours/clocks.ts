// Clocks that jump, and processes that stand still. What a circuit takes for the time decides both.
import type { Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see } from '../world.ts'

const AN_HOUR = 3_600_000

export const CLOCKS: Group<Entrant> = {
  title: 'Time',
  file: 'clocks.ts',
  behaviours: [
    {
      title: 'A wall clock that is set back an hour does not keep it open for an hour',
      why: 'Clocks are set right while programs run, by a lot where a machine woke up.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        await world.opens(breaker)
        await world.setWall(-AN_HOUR)
        await world.pass(60_000)
        see(!(await world.refuses(breaker)), 'a minute later it was still open, with 5 s to stay so')
      },
    },
    {
      title: 'A wall clock that is set back an hour does not keep failures for an hour',
      why: 'The same, for the window in which they count.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ window: 10_000 })
        await world.fails(breaker, 3)
        await world.setWall(-AN_HOUR)
        await world.pass(60_000)
        await world.fails(breaker, 1)
        see(!(await world.refuses(breaker)), 'one failure, a minute after three others, opened it')
        await world.fails(breaker, 4)
        see(await world.refuses(breaker), 'four more did not open it')
      },
    },
    {
      title: 'A wall clock that is set an hour ahead does not end the open time early',
      why: 'The host has had no time to recover. The opposite of the next line: no library can have both.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ openFor: 60_000 })
        await world.opens(breaker)
        await world.setWall(AN_HOUR)
        see(await world.refuses(breaker), 'the next call was sent')
      },
    },
    {
      title: 'A process that was frozen for an hour probes with its first call',
      why: 'In AWS Lambda timers and monotonic clocks stand still between calls, and only the wall clock goes on.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ openFor: 60_000 })
        await world.opens(breaker)
        await world.setWall(AN_HOUR)
        see(!(await world.refuses(breaker)), 'the first call after an hour was refused')
      },
    },
  ],
}
