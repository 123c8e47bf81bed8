// What a program, or whoever looks after it, does with a circuit while it runs.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Breaker, Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see, type World } from '../world.ts'

const CHILD = fileURLToPath(new URL('../child.ts', import.meta.url))

export const OPERATING: Group<Entrant> = {
  title: 'Running it',
  file: 'operating.ts',
  behaviours: [
    {
      title: 'A circuit that is held open by hand stays so until it is let go',
      why: 'Whoever stops a service for the night does not want it probed.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        await world.works(breaker)
        const letGo = breaker.hold()
        see(await world.refuses(breaker), 'the next call was sent')
        await world.pass(3_600_000)
        see(await world.refuses(breaker), 'its timer undid it')
        letGo()
        await world.pass(5_001)
        see(!(await world.refuses(breaker)), 'it was refused after it was let go')
      },
    },
    {
      title: 'It can be tried out without refusing anything',
      why: 'Before it may refuse, one wants to see when it would have.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ shadow: true })
        let opened = 0
        breaker.on('opened', () => ++opened)
        await world.fails(breaker, 8)
        see(!(await world.refuses(breaker)), 'it refused a call')
        see(opened > 0, 'it does not say that it would have opened')
      },
    },
    {
      title: 'Its threshold can be changed while it runs',
      why: 'In an incident, a deployment takes too long.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ rate: 0.9, minimum: 10 })
        breaker.setRate(0.2)
        await world.works(breaker, 7)
        await world.fails(breaker, 3)
        see(await world.refuses(breaker), 'three failures of ten left it closed, at a rate of 0.2')
      },
    },
    {
      title: 'A circuit that was open is open again after a restart, for as long as it was to be',
      why: 'A program that starts anew each minute, or in each Lambda, would never refuse.',
      async run(entrant, world) {
        const before = entrant.breaker({ openFor: 30_000 })
        await world.works(before)
        await world.pass(60_000)
        await world.opens(before)
        await world.pass(10_000)
        const after = entrant.breaker({ openFor: 30_000 }, JSON.parse(before.save()))
        see(await world.refuses(after), 'it let a call through, 20 s before its time')
        await world.pass(25_000)
        see(!(await world.refuses(after)), 'it was still open, 5 s after its time')
      },
    },
    {
      title: 'A saved state that is no state harms no call',
      why: 'It was written by an earlier version, or cut short.',
      async run(entrant, world) {
        const garbage = [
          { state: null },
          { ownState: { value: 'garbage' }, breakerState: 1 },
          { circuits: [{ until: 'x' }] },
        ]
        for (const saved of garbage) {
          const breaker = made(entrant, saved)
          // Who says so at once does no harm.
          if (breaker === undefined) continue
          const call = await world.begin(breaker)
          await call.succeed()
          see(call.state === 'resolved', 'every call fails')
        }
      },
    },
    {
      title: 'A program with an open circuit ends when its work is done',
      why: 'A script, a job and a test runner wait for timers that they know nothing of.',
      async run({ name }) {
        const { open, waits } = await programOf(name)
        see(open, 'it did not open')
        see(!waits, 'it would run on until the open time is over, which is an hour')
      },
    },
    {
      title: 'Circuits that have nothing to do keep no timers',
      why: 'One for each host and tenant makes thousands. (opossum can be given one for all, as its `rotateBucketController`.)',
      async run(entrant, world: World) {
        const before = world.timers
        const breakers = Array.from({ length: 10 }, () => entrant.breaker())
        for (const breaker of breakers) await world.works(breaker)
        const { timers } = world
        see(timers <= before, `ten of them keep ${timers - before}`)
      },
    },
  ],
}

function made(entrant: Entrant, saved: unknown): Breaker | undefined {
  try {
    return entrant.breaker({}, saved)
  } catch {
    return undefined
  }
}

/** What a program of its own says when its work is done. */
async function programOf(name: string): Promise<{ readonly open: boolean; readonly waits: boolean }> {
  const { stdout } = await promisify(execFile)(process.execPath, [CHILD, name])
  return JSON.parse(stdout) as { open: boolean; waits: boolean }
}
