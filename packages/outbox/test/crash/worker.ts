// A service that subscribes the customers it is told of, and may be killed at any moment: `node worker.ts URL STORE`.
import { createBoard, guardFetch } from '@fuseboard/core'
import { createOutbox, defer } from '../../src/index.ts'
import { openStore } from './stores.ts'

const [url = '', place = ''] = process.argv.slice(2)
const subscriptions = `${url}/v1/billing/subscriptions`
const idempotencyHeader = 'PayPal-Request-Id'

let token: string | undefined
/** From the same host, through the same circuit: it fails when the subscriptions do. */
async function tokenOf(renew: boolean): Promise<string> {
  if (renew) token = undefined
  if (token !== undefined) return token
  const response = await fetch(`${url}/v1/oauth2/token`)
  if (!response.ok) throw new Error(`no token: ${response.status}`)
  return (token = await response.text())
}

const { store } = await openStore(place, new URL(url).host)
const outbox = createOutbox({
  store,
  async prepare(request, { renew }) {
    request.headers.set('authorization', `Bearer ${await tokenOf(renew)}`)
  },
  // The outage is one of seconds, and so are these.
  lease: '1s',
  backoff: { from: 100, to: 500 },
  probeAfter: 300,
  maxAttempts: 1_000,
})
const board = createBoard({
  consecutiveFailures: 3,
  openFor: 200,
  fallback: defer({ outbox, idempotencyHeader, when: ({ method }) => method === 'POST' }),
})
const fetch = guardFetch(board)
outbox.drainOn(board)

/** @returns the status that the caller gets */
async function subscribe(customer: number, renew = false): Promise<number> {
  const body = JSON.stringify({ customer })
  let authorization: string
  try {
    authorization = `Bearer ${await tokenOf(renew)}`
  } catch {
    // Nothing was sent yet, so it may wait whatever it is.
    await outbox.enqueue({ url: subscriptions, body, idempotencyHeader })
    return 202
  }
  const { status } = await fetch(subscriptions, { method: 'POST', body, headers: { authorization } })
  return status === 401 && !renew ? subscribe(customer, true) : status
}

process.on('message', (customer: number) => {
  void subscribe(customer)
    .catch(() => 500)
    .then((status) => process.send?.([customer, status]))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
