// Half-open: who may try, how many, and what becomes of those who do not.
import type { Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see, type Call } from '../world.ts'

const CALLERS = 50
const aborted = (): Error => new DOMException('the caller left', 'AbortError')
class Declined extends Error {}
const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError'

export const PROBES: Group<Entrant> = {
  title: 'Half-open',
  file: 'probes.ts',
  behaviours: [
    {
      title: 'Of fifty callers at once, one probes',
      why: 'A host that is just coming up is not to be met by all that waited for it.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        await world.opens(breaker)
        await world.pass(5_001)
        const calls: Call[] = []
        for (let i = 0; i < CALLERS; i++) calls.push(await world.begin(breaker))
        const { length } = calls.filter(({ sent }) => sent)
        see(length === 1, `${length} of ${CALLERS} calls were sent`)
      },
    },
    {
      title: 'Callers who came during the probe are not all sent when it succeeds',
      why: 'One good answer is followed by the whole backlog in the same moment.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        await world.opens(breaker)
        await world.pass(5_001)
        const probe = await world.begin(breaker)
        const others: Call[] = []
        for (let i = 0; i < CALLERS; i++) others.push(await world.begin(breaker))
        await probe.succeed()
        const { length } = others.filter(({ sent }) => sent)
        see(length === 0, `${length} calls that had waited were sent at once`)
      },
    },
    {
      title: 'A caller is told at once that another one probes',
      why: 'It can take a stored answer, or another host, and need not wait for what may hang.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        await world.opens(breaker)
        await world.pass(5_001)
        await world.begin(breaker)
        const other = await world.begin(breaker)
        see(!other.sent, 'it was sent too')
        see(other.state === 'rejected', 'it waits for as long as the probe takes')
      },
    },
    {
      title: 'A caller may wait for the probe, and be sent when it succeeds',
      why: 'Where the probe is quick, the caller gets its answer in place of a refusal.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        await world.opens(breaker)
        await world.pass(5_001)
        const probe = await world.begin(breaker)
        const other = await world.begin(breaker)
        await probe.succeed()
        see(other.sent, 'it was refused at once')
      },
    },
    {
      title: 'A probe that never ends does not shut the host out for good',
      why: 'There is always a call that hangs; without a time limit on it the circuit waits for it for ever.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        await world.opens(breaker)
        await world.pass(5_001)
        await world.begin(breaker)
        let sent = false
        for (let minute = 0; minute < 10 && !sent; minute++) {
          await world.pass(60_000)
          sent = !(await world.refuses(breaker))
        }
        see(sent, 'ten minutes later, no call has been let through')
      },
    },
    {
      title: 'A time limit ends a probe that hangs',
      why: 'The same with a time limit of 2 s on each call: the circuit goes on to the next probe.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ timeLimit: 2_000 })
        await world.opens(breaker)
        await world.pass(5_001)
        await world.begin(breaker)
        await world.pass(2_001 + 5_001)
        see(!(await world.refuses(breaker)), 'no call was let through after it')
      },
    },
    {
      title: 'A probe that its caller aborts decides nothing, and gives its place back',
      why: 'Who closes a page says neither that the host is well nor that it is not.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ counts: (error) => !isAbort(error) })
        await world.opens(breaker)
        await world.pass(5_001)
        const leaves = new AbortController()
        const left = await world.begin(breaker, leaves.signal)
        leaves.abort()
        await left.fail(aborted())
        const next = await world.begin(breaker)
        see(next.sent, 'after it, no call was let through')
        const other = await world.begin(breaker)
        see(!other.sent, 'it was taken for a success, and the circuit closed')
      },
    },
    {
      title: 'A probe that ends in an expected error closes it where told so',
      why: 'A declined card is an answer: the host is back.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ answers: (error) => error instanceof Declined })
        await world.opens(breaker)
        await world.pass(5_001)
        await world.fails(breaker, 1, new Declined())
        const calls = [await world.begin(breaker), await world.begin(breaker), await world.begin(breaker)]
        see(
          calls.every(({ sent }) => sent),
          'the next calls were refused',
        )
      },
    },
    {
      title: 'A host can be made to pass several probes before it is trusted',
      why: 'A host behind a balancer answers one call in two while half of it is down.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ probes: 3 })
        await world.opens(breaker)
        await world.pass(5_001)
        await world.works(breaker)
        const calls: Call[] = []
        for (let i = 0; i < CALLERS; i++) calls.push(await world.begin(breaker))
        see(calls.filter(({ sent }) => sent).length < CALLERS, 'one success closed it')
      },
    },
    {
      title: 'Of several probes, one may fail',
      why: 'Two good answers of three are good enough for a host that always fails a little.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ probes: 3, need: 2 })
        await world.opens(breaker)
        await world.pass(5_001)
        const probes = [await world.begin(breaker), await world.begin(breaker), await world.begin(breaker)]
        see(
          probes.every(({ sent }) => sent),
          'fewer than three calls were let through to probe',
        )
        await probes[0]?.fail()
        await probes[1]?.succeed()
        await probes[2]?.succeed()
        see(!(await world.refuses(breaker)), 'one failure of three opened it again')
      },
    },
    {
      title: 'With each failed probe it stays open longer',
      why: 'A host that is down for an hour is not to be asked every five seconds.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ openFor: { from: 5_000, to: 60_000, spread: false } })
        await world.opens(breaker)
        const first = await openTime(
          () => world.pass(500),
          () => sentAndFails(),
        )
        const second = await openTime(
          () => world.pass(500),
          () => sentAndFails(),
        )
        const third = await openTime(
          () => world.pass(500),
          () => sentAndFails(),
        )
        see(first < second && second < third, 'it stays open for the same time after each')

        async function sentAndFails(): Promise<boolean> {
          const probe = await world.begin(breaker)
          await probe.fail()
          return probe.sent
        }
      },
    },
    {
      title: 'Circuits that opened together do not all probe in the same moment',
      why: 'Hundreds of processes lose the same host at the same time.',
      async run(entrant, world) {
        const policy = { openFor: { from: 5_000, to: 60_000, spread: true } }
        const breakers = Array.from({ length: 20 }, () => entrant.breaker(policy))
        for (const breaker of breakers) await world.opens(breaker)
        const waits = new Set<number>()
        const closed = new Set<unknown>()
        for (let tenth = 0; tenth < 200; tenth++) {
          await world.pass(100)
          for (const breaker of breakers) {
            if (closed.has(breaker) || (await world.refuses(breaker))) continue
            closed.add(breaker)
            waits.add(tenth)
          }
        }
        see(closed.size > 0, 'none has probed after 20 s')
        see(waits.size > 3, 'they all probed in the same tenth of a second or two')
      },
    },
  ],
}

/** How many steps it takes until a call is let through. */
async function openTime(step: () => Promise<void>, sent: () => Promise<boolean>): Promise<number> {
  for (let steps = 1; steps < 200; steps++) {
    await step()
    if (await sent()) return steps
  }
  see(false, 'no call was let through again')
  return 0
}
