// Answers that come when the circuit has moved on since their call was admitted.
import type { Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see, type Call, type World } from '../world.ts'

export const LATE: Group<Entrant> = {
  title: 'Answers that come late',
  file: 'late.ts',
  behaviours: [
    {
      title: 'A success from before the outage does not close a half-open circuit',
      why: 'A call that was admitted in better times says nothing of how the host is now.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        const late = await world.begin(breaker)
        await world.opens(breaker)
        const probe = await probing(world, breaker)
        await late.succeed()
        see(await world.refuses(breaker), 'the late success let the next call through, with the probe still out')
        await probe.fail()
        see(await world.refuses(breaker), 'the probe failed, and the next call was let through')
      },
    },
    {
      title: 'A failure from before the outage does not open a half-open circuit again',
      why: 'Calls that time out minutes later would keep a host shut that has recovered.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        const late = await world.begin(breaker)
        await world.opens(breaker)
        const probe = await probing(world, breaker)
        await late.fail()
        await probe.succeed()
        see(
          !(await world.refuses(breaker)),
          'the probe succeeded, and the next call was refused because of the late failure',
        )
      },
    },
    {
      title: 'Failures from before the outage do not open a circuit that has recovered',
      why: 'A hundred calls that hung in the outage end after it, all at once.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        const late: Call[] = []
        for (let i = 0; i < 8; i++) late.push(await world.begin(breaker))
        await world.opens(breaker)
        await (await probing(world, breaker)).succeed()
        for (const call of late) await call.fail()
        see(!(await world.refuses(breaker)), 'the late failures opened it again')
      },
    },
    {
      title: 'Late answers take no place from the probes',
      why: 'Probes that are counted together with others may never come to a verdict.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ probes: 2 })
        const late = [await world.begin(breaker), await world.begin(breaker)]
        await world.opens(breaker)
        const probe = await probing(world, breaker)
        for (const call of late) await call.succeed()
        await probe.succeed()
        await (await world.begin(breaker)).succeed()
        see(!(await world.refuses(breaker)), 'both probes succeeded, and the next call was refused')
      },
    },
  ],
}

/** The first call after the open time. */
async function probing(world: World, breaker: Parameters<World['begin']>[0]): Promise<Call> {
  await world.pass(5_001)
  const probe = await world.begin(breaker)
  see(probe.sent, 'no call was let through when the open time was over')
  return probe
}
