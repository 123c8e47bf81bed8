// Answers that are kept: for when a host cannot answer, or so that it need not be asked.
import type { ServerResponse, IncomingMessage } from 'node:http'
import type { Group } from '../behaviour.ts'
import type { Got, Keeper, KeepingEntrant } from '../keeper.ts'
import { see, settled, type World } from '../world.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

/** What caches are told by a host that knows of outages (RFC 5861). */
const FOR_TEN_SECONDS = { 'cache-control': 'max-age=10, stale-if-error=3600' }
const FIFTEEN_SECONDS = 15_000
/** So many turns until what goes on beside a call must be done. */
const A_MOMENT = 500
const A_MINUTE = 60_000
const says =
  (text: string, headers: Record<string, string> = FOR_TEN_SECONDS): Answer =>
  (_, response) =>
    response.writeHead(200, headers).end(text)
const fails: Answer = (_, response) => response.writeHead(503).end('down')
const breaksOff: Answer = (request) => request.socket.destroy()

export const ANSWERS: Group<KeepingEntrant> = {
  title: 'Answers that are kept',
  file: 'answers.ts',
  behaviours: [
    {
      title: 'An earlier answer stands in where the host answers 503 and has allowed it',
      why: 'Yesterday’s verse is better than none.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('earlier'))
        await host.get()
        await world.pass(A_MINUTE)
        host.answers(fails)
        see((await host.get()).text === 'earlier', 'the caller got the failure')
      },
    },
    {
      title: 'An earlier answer stands in where the connection breaks',
      why: 'Most outages have no status.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('earlier'))
        await host.get()
        await world.pass(A_MINUTE)
        host.answers(breaksOff)
        see((await host.get()).text === 'earlier', 'the caller got the error')
      },
    },
    {
      title: 'An earlier answer stands in though the host never said how long it is good for',
      why: 'Many APIs send no Cache-Control at all.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('earlier', {}))
        await host.get()
        await world.pass(A_MINUTE)
        host.answers(fails)
        see((await host.get()).text === 'earlier', 'the caller got the failure')
      },
    },
    {
      title: 'What stood in can be told from an answer',
      why: 'A program may want to say how old it is.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('earlier'))
        see(!(await host.get()).earlier, 'the first answer says that it is an earlier one')
        await world.pass(A_MINUTE)
        host.answers(fails)
        const got = await host.get()
        see(got.text === 'earlier', 'nothing stood in')
        see(got.earlier, 'it looks like any other')
      },
    },
    {
      title: 'While the host is known to be down, an earlier answer comes without asking it',
      why: 'A host that hangs lets each caller wait for its time limit first.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('earlier'))
        await host.get()
        await world.pass(A_MINUTE)
        host.answers(fails)
        for (let i = 0; i < 20; i++) await host.get()
        const { asked } = host
        see((await host.get()).text === 'earlier', 'nothing stood in')
        see(host.asked === asked, 'the host was asked first, each time')
      },
    },
    {
      title: 'What the host marks no-store is never kept',
      why: 'An account balance, a token.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('secret', { 'cache-control': 'no-store' }))
        await host.get()
        host.answers(fails)
        see((await host.get()).text !== 'secret', 'it was given to the next caller')
      },
    },
    {
      title: 'What the host wants to be asked about does not stand in when it is stale',
      why: '`must-revalidate` says that a stale answer does harm.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('stale', { 'cache-control': 'max-age=10, must-revalidate' }))
        await host.get()
        await world.pass(A_MINUTE)
        host.answers(fails)
        see((await host.get()).text !== 'stale', 'it did')
      },
    },
    {
      title: 'What one user was told is not told to another',
      why: 'A cache that does not look at Authorization gives away accounts.',
      async run(entrant, world) {
        const tells: Answer = ({ headers }, response) =>
          response.writeHead(200, FOR_TEN_SECONDS).end(`for ${headers.authorization}`)
        const host = await hostOf(entrant, world, tells)
        await host.get({ authorization: 'ann' })
        see((await host.get({ authorization: 'bob' })).text === 'for bob', 'Bob got what was for Ann')
        await world.pass(A_MINUTE)
        host.answers(fails)
        see((await host.get({ authorization: 'cid' })).status !== 200, 'in the outage, Cid got what was for another')
      },
    },
    {
      title: 'Answers that vary are kept apart',
      why: '`Vary: accept-language` is there so that nobody gets the other language.',
      async run(entrant, world) {
        const tells: Answer = ({ headers }, response) =>
          response.writeHead(200, { ...FOR_TEN_SECONDS, vary: 'accept-language' }).end(headers['accept-language'])
        const host = await hostOf(entrant, world, tells)
        await host.get({ 'accept-language': 'de' })
        await world.pass(A_MINUTE)
        see((await host.get({ 'accept-language': 'fr' })).text === 'fr', 'the French caller got the German answer')
        host.answers(fails)
        see(
          (await host.get({ 'accept-language': 'it' })).status !== 200,
          'in the outage, the Italian one got another’s',
        )
      },
    },
    {
      title: 'A 404 is an answer, and none stands in for it',
      why: 'What the host has removed is gone.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('earlier'))
        await host.get()
        await world.pass(A_MINUTE)
        host.answers((_, response) => response.writeHead(404).end('gone'))
        see((await host.get()).text !== 'earlier', 'an earlier answer stood in')
      },
    },
    {
      title: 'A write drops what was kept of its page',
      why: 'Who has changed an address does not want to see the old one.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('old', { 'cache-control': 'max-age=600' }))
        await host.get()
        await host.post()
        host.answers(fails)
        see((await host.get()).text !== 'old', 'the old one was given after it')
      },
    },
    {
      title: 'A body that broke off is not kept',
      why: 'Half an answer is worse than none.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, (_, response) => {
          response.writeHead(200, { ...FOR_TEN_SECONDS, 'content-length': '100' })
          response.write('half of it')
          setImmediate(() => response.destroy())
        })
        await host.get()
        host.answers(fails)
        see(!(await host.get()).text.includes('half'), 'the half of it was given as an answer')
      },
    },
    {
      title: 'A store that fails costs no request',
      why: 'What keeps answers for an outage must not be one.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('well'), { brokenStore: true })
        see((await host.get()).text === 'well', 'the host is well, and the caller got an error')
        see((await host.get()).text === 'well', 'the host is well, and the second caller got an error')
      },
    },
    {
      title: 'A fresh answer is given without asking the host',
      why: 'The quickest request is the one that is not made.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('fresh'))
        await host.get()
        see((await host.get()).text === 'fresh' && host.asked === 1, 'the host is asked each time')
        await world.pass(A_MINUTE)
        await host.get()
        see(host.asked === 2, 'it was given a minute later too, and was good for 10 s')
      },
    },
    {
      title: 'A stale answer that has not changed is not sent again',
      why: 'A 304 costs less than the whole of it.',
      async run(entrant, world) {
        let unchanged = 0
        const host = await hostOf(entrant, world, ({ headers }, response) => {
          if (headers['if-none-match'] !== '"1"') {
            response.writeHead(200, { ...FOR_TEN_SECONDS, etag: '"1"' }).end('long')
            return
          }
          unchanged++
          response.writeHead(304, { ...FOR_TEN_SECONDS, etag: '"1"' }).end()
        })
        await host.get()
        await world.pass(FIFTEEN_SECONDS)
        see((await host.get()).text === 'long' && unchanged === 1, 'the host had to send all of it')
      },
    },
    {
      title: 'A stale answer is given at once, and renewed beside it, where the host allows it',
      why: '`stale-while-revalidate`: nobody waits for a slow host.',
      async run(entrant, world) {
        const allows = { 'cache-control': 'max-age=10, stale-while-revalidate=600' }
        const host = await hostOf(entrant, world, says('earlier', allows))
        await host.get()
        await world.pass(A_MINUTE)
        host.answers(says('newer', allows))
        see((await host.get()).text === 'earlier', 'the caller waits for the host')
        let text = ''
        for (let i = 0; i < A_MOMENT && text !== 'newer'; i++) {
          await settled()
          text = (await host.get()).text
        }
        see(text === 'newer', 'later callers got the stale one too')
      },
    },
    {
      title: 'Requests under way for the same page become one',
      why: 'A page that becomes popular is asked for a thousand times at once.',
      async run(entrant, world) {
        const host = await hostOf(entrant, world, says('fresh'), { join: true })
        await Promise.all([host.get(), host.get(), host.get()])
        see(host.asked === 1, 'each was sent')
      },
    },
  ],
}

/** A host whose answers change, and one who keeps them. */
async function hostOf(
  entrant: KeepingEntrant,
  world: World,
  first: Answer,
  policy?: Parameters<KeepingEntrant['keeper']>[0],
) {
  let answer = first
  const keeper: Keeper = entrant.keeper(policy)
  world.atEnd(() => keeper.close?.())
  const host = {
    asked: 0,
    answers: (next: Answer): void => void (answer = next),
    get: (headers?: Record<string, string>): Promise<Got> => attempt(() => keeper.get(url, headers)),
    post: (): Promise<unknown> => keeper.post(url),
  }
  const url = await world.host((request, response) => {
    host.asked++
    answer(request, response)
  })
  return host
}

/** What a caller gets, which may be an error. */
async function attempt(get: () => Promise<Got>): Promise<Got> {
  try {
    return await get()
  } catch (error) {
    return { status: 0, text: String(error), earlier: false }
  }
}
