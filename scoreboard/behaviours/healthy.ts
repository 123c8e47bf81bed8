// Hosts that are well and look odd: a circuit must leave them alone, under a policy that still finds out one that is down.
import type { Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see, type Call, type World } from '../world.ts'

export const HEALTHY: Group<Entrant> = {
  title: 'Hosts that are well',
  file: 'healthy.ts',
  behaviours: [
    {
      title: 'A host whose calls take 40 s is never refused',
      why: 'A model that thinks, a report, a large download.',
      async run(entrant, world) {
        const policy = { window: 30_000 }
        const breaker = entrant.breaker(policy)
        const underWay: Call[] = []
        for (let second = 0; second < 120; second++) {
          await world.pass(1_000)
          if (underWay.length >= 40) await underWay.shift()?.succeed()
          const call = await world.begin(breaker)
          see(call.sent, 'a call was refused')
          underWay.push(call)
        }
        for (const call of underWay) {
          await call.succeed()
          see(call.state === 'resolved', 'a call was ended')
        }
        await world.opens(entrant.breaker(policy))
      },
    },
    {
      title: 'A host whose calls take 40 s comes back after an outage',
      why: 'Its probe takes as long as any other call.',
      async run(entrant, world) {
        const breaker = entrant.breaker()
        await world.opens(breaker)
        await world.pass(5_001)
        const probe = await world.begin(breaker)
        await world.pass(40_000)
        await probe.succeed()
        see(probe.state === 'resolved', 'the probe was ended')
        see(!(await world.refuses(breaker)), 'the next call was refused although the probe had succeeded')
      },
    },
    {
      title: 'A host that answers 429 is never refused',
      why: 'It is well, and the client waits as it is told to.',
      async run(entrant, world) {
        let calls = 0
        const { get } = await client(entrant, world, (_, response) => {
          response.writeHead(++calls % 4 === 0 ? 200 : 429, { 'retry-after': '1' }).end()
        })
        for (let i = 0; i < 40; i++) {
          await get()
          await world.pass(500)
        }
        see(calls === 40, `only ${calls} of 40 requests were sent`)
        await world.opens(entrant.breaker())
      },
    },
    {
      title: 'A host that is only written to comes back after an outage',
      why: 'Where only reads may probe, a payment service is never asked again.',
      async run(entrant, world) {
        let status = 503
        let calls = 0
        const { get } = await client(entrant, world, (_, response) => {
          calls++
          response.writeHead(status).end()
        })
        for (let i = 0; i < 6; i++) await get({ method: 'POST', body: 'x' })
        see(calls < 6, 'it did not open after four answers of 503')
        status = 201
        await world.pass(5_001)
        calls = 0
        await get({ method: 'POST', body: 'x' })
        await get({ method: 'POST', body: 'x' })
        see(calls === 2, 'when the open time was over, writes were still refused')
      },
    },
    {
      title: 'A host that is asked once a minute, and fails one time in four, is never refused',
      why: 'It was never worse than now.',
      async run(entrant, world) {
        const policy = { window: 30_000 }
        const breaker = entrant.breaker(policy)
        for (let minute = 0; minute < 60; minute++) {
          await world.pass(60_000)
          const call = await world.begin(breaker)
          see(call.sent, 'a call was refused')
          await (minute % 4 === 0 ? call.fail() : call.succeed())
        }
        await world.opens(entrant.breaker(policy))
      },
    },
    {
      title: 'A host that is asked once a minute, and is down, is found out',
      why: 'It never makes up a minimum of calls in a window of seconds.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ streak: 5 })
        for (let minute = 0; minute < 10; minute++) {
          await world.fails(breaker, 1)
          if (minute < 9) await world.pass(60_000)
        }
        see(await world.refuses(breaker), 'ten failures, one a minute, left it closed')
      },
    },
    {
      title: 'A long poll that its caller ends after a quiet minute is no failure where told so',
      why: 'That nothing has happened is an answer too.',
      async run(entrant, world) {
        const policy = { counts: (error: unknown) => !(error instanceof DOMException), patient: true }
        const breaker = entrant.breaker(policy)
        for (let i = 0; i < 12; i++) {
          const caller = new AbortController()
          const poll = await world.begin(breaker, caller.signal)
          see(poll.sent, 'a poll was refused')
          await world.pass(50_000)
          caller.abort()
          await (i % 3 === 0 ? poll.succeed() : poll.fail(caller.signal.reason))
        }
        await world.opens(entrant.breaker(policy))
      },
    },
  ],
}

/** A breaker before a host of its own. */
async function client(entrant: Entrant, world: World, answer: Parameters<World['host']>[0]) {
  const url = await world.host(answer)
  const breaker = entrant.breaker()
  const get = async (init?: RequestInit): Promise<void> => {
    const response = await breaker.fetch(url, init).catch(() => undefined)
    await response?.arrayBuffer()
  }
  return { get }
}
