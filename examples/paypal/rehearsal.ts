// The story against a local PayPal, with an outbox in a temporary folder that is gone afterwards.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alerts, webhook } from '@fuseboard/telemetry/alerts'
import type { Ending } from '../entry.ts'
import { endingOf } from '../promised.ts'
import { mulberry32 } from '../random.ts'
import { Billing } from './billing.ts'
import type { Tell } from './events.ts'
import { Inbox } from './inbox.ts'
import type { Options } from './options.ts'
import { limitAt, openForAt } from './policy.ts'
import { check, summaryOf } from './promises.ts'
import { PayPalServer } from './server.ts'
import { Story } from './story.ts'
import { Tally } from './tally.ts'

/** Seconds that a token lives by the policy's clock: shorter than PayPal is away. */
const TOKEN_LIVES = 240
/** Milliseconds that a subscription takes: long enough for a second click. */
const TAKES = 100

/** Milliseconds in which it must come to its end, and those by the policy's clock. */
const PATIENCE = 60_000
const WAITING = 1_800_000

export async function rehearse({ scale, seed }: Options, tellAll: Tell, stop: AbortSignal): Promise<Ending> {
  const patience = AbortSignal.timeout(Math.ceil(PATIENCE + WAITING / scale))
  const signal = AbortSignal.any([stop, patience])
  // What is still under way when it is stopped is nobody's concern.
  const tell: Tell = (event) => void (stop.aborted || tellAll(event))

  const server = await PayPalServer.listen({ tokenLives: TOKEN_LIVES / scale, takes: TAKES })
  const secret = crypto.randomUUID()
  const inbox = await Inbox.listen(({ text }) => tell({ event: 'alert', text }), secret)
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-paypal-'))
  const billing = new Billing({ origin: server.origin, file: join(folder, 'outbox.db'), scale })
  const { board, outbox } = billing
  const tally = new Tally(billing)
  board.on('transition', ({ to, message }) => tell({ event: 'transition', to, message }))
  const telling = alerts(board, { notify: [webhook(inbox.url, { secret })], outbox })
  const story = new Story({ billing, server, tally, scale, random: mulberry32(seed), tell, signal })
  // Nobody waits any more for answers that are still to come.
  signal.addEventListener('abort', () => void server.close())

  try {
    const [openForMs, limitMs] = [openForAt(scale), limitAt(scale)]
    tell({ event: 'start', seed, scale, host: server.host, admin: inbox.url, openForMs, limitMs })
    await story.play()
    await telling.flush()
    const evidence = { orders: story.orders, server, tally, depth: await outbox.depth(), alerts: inbox.alerts }
    tell({ event: 'summary', ...summaryOf(evidence) })
    const promises = check(evidence)
    for (const promise of promises) tell({ event: 'promise', ...promise })
    return endingOf(promises)
  } catch (error) {
    if (stop.aborted) return { status: 130, says: 'Stopped.' }
    if (patience.aborted) return { status: 1, says: 'Stuck: something that had to come did not.' }
    throw error
  } finally {
    telling.stop()
    await server.close()
    await Promise.all([billing[Symbol.asyncDispose](), inbox.close()])
    await rm(folder, { recursive: true, force: true })
  }
}
