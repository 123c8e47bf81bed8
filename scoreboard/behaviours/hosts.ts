// What only one that knows HTTP can see, on a host of its own on 127.0.0.1.
import type { Entrant } from '../entrant.ts'
import type { Group } from '../behaviour.ts'
import { see } from '../world.ts'

export const HOSTS: Group<Entrant> = {
  title: 'HTTP',
  file: 'hosts.ts',
  behaviours: [
    {
      title: 'A 503 counts, and the caller gets the answer itself',
      why: 'Its body and headers say what is the matter.',
      async run(entrant, world) {
        let calls = 0
        const url = await world.host((_, response) => {
          calls++
          response.writeHead(503).end('back at noon')
        })
        const breaker = entrant.breaker()
        const first = await breaker.fetch(url).catch(() => undefined)
        const text = await first?.text()
        for (let i = 0; i < 5; i++) await (await breaker.fetch(url).catch(() => undefined))?.text()
        see(calls === 4, `${calls} requests were sent where four failures open it`)
        see(text === 'back at noon', 'a program has to throw what should count')
      },
    },
    {
      title: 'It stays open for as long as a Retry-After says',
      why: 'The host knows best when it is worth while to ask it again.',
      async run(entrant, world) {
        let calls = 0
        const url = await world.host((_, response) => {
          calls++
          response.writeHead(503, { 'retry-after': '60' }).end()
        })
        const breaker = entrant.breaker()
        for (let i = 0; i < 5; i++) await (await breaker.fetch(url).catch(() => undefined))?.text()
        see(calls === 4, 'it did not open after four answers of 503')
        await world.pass(30_000)
        await breaker.fetch(url).catch(() => undefined)
        see(calls === 4, 'it asked the host 30 s later')
        await world.pass(31_000)
        await breaker.fetch(url).catch(() => undefined)
        see(calls === 5, 'it did not ask the host when the minute was over')
      },
    },
    {
      title: 'A refusal says how long to wait',
      why: 'So that the program can say it too, in a Retry-After of its own.',
      async run(entrant, world) {
        const breaker = entrant.breaker({ openFor: 30_000 })
        await world.opens(breaker)
        await world.pass(10_000)
        const refused = await world.begin(breaker)
        const wait = breaker.retryAfter(refused.value)
        see(wait === 20_000, 'the error of a refusal does not say when the open time is over')
      },
    },
    {
      title: 'A body that breaks off while it is read is a failure',
      why: 'Where only the head is looked at, a host that breaks every download is in the best of health.',
      async run(entrant, world) {
        let calls = 0
        const url = await world.host((_, response) => {
          calls++
          response.writeHead(200, { 'content-length': '100000' })
          response.write('the beginning of it')
          setImmediate(() => response.destroy())
        })
        const breaker = entrant.breaker()
        for (let i = 0; i < 8; i++)
          await breaker
            .fetch(url)
            .then((response) => response.text())
            .catch(() => {})
        see(calls === 4, `${calls} of eight were sent, all of which broke off`)
      },
    },
    {
      title: 'Each host has a circuit of its own',
      why: 'One client asks many hosts; one that is down is no reason to refuse the others.',
      async run(entrant, world) {
        const down = await world.host((_, response) => response.writeHead(503).end())
        const well = await world.host((_, response) => response.writeHead(200).end('well'))
        const breaker = entrant.breaker()
        for (let i = 0; i < 5; i++) await breaker.fetch(down).catch(() => undefined)
        const response = await breaker.fetch(well).catch(() => undefined)
        see(response?.status === 200, 'the other host was refused too: a program keeps a breaker for each by itself')
      },
    },
    {
      title: 'Instances share what they find',
      why: 'Each of a hundred instances has to run into a dead host by itself, and each probes it.',
      async run(entrant, world) {
        const url = await world.host((_, response) => response.writeHead(503).end())
        const [one, other] = entrant.fleet({ openFor: 60_000 }, 2)
        for (let i = 0; i < 5; i++) await one?.fetch(url).catch(() => undefined)
        for (let second = 0; second < 5; second++) {
          await world.pass(1_000)
          await other?.fetch(url).then(
            (response) => response.text(),
            () => undefined,
          )
        }
        const refusal = await other?.fetch(url).then(
          () => undefined,
          (error: unknown) => error,
        )
        see(refusal !== undefined, 'the other one went on asking')
      },
    },
  ],
}
