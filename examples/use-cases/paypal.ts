// PayPal, as docs/use-cases.md has it.
import { breaker } from '@fuseboard/axios'
import { createBoard } from '@fuseboard/core'
import { createOutbox, defer } from '@fuseboard/outbox'
import { sqliteOutbox } from '@fuseboard/outbox/sqlite'
import { alerts, webhook } from '@fuseboard/telemetry/alerts'
import axios from 'axios'

const { PAYPAL = 'https://api-m.paypal.com', PAYPAL_ID = '', PAYPAL_SECRET = '', OUTBOX = 'outbox.db' } = process.env
const [url, idempotencyHeader] = [`${PAYPAL}/v1/billing/subscriptions`, 'PayPal-Request-Id']

export const outbox = createOutbox({
  store: sqliteOutbox(OUTBOX),
  async prepare({ headers }, { renew }) {
    headers.set('authorization', await authorization(renew))
  },
})
const later = defer({ outbox, idempotencyHeader, when: (request) => request.url === url })
const policy = { consecutiveFailures: 5, openFor: '60s', fallback: later } as const
export const board = createBoard({ hosts: { [new URL(PAYPAL).host]: policy } })
const http = breaker(board)(axios.create({ baseURL: PAYPAL, timeout: 10_000 }))
outbox.drainOn(board)
alerts(board, { notify: [webhook(process.env.ADMIN_WEBHOOK ?? 'https://chat.example.com/hooks/admin')], outbox })

let token = { value: '', until: 0 }
async function authorization(renew = false): Promise<string> {
  if (renew || token.until < Date.now()) {
    const auth = { username: PAYPAL_ID, password: PAYPAL_SECRET }
    const { data } = await http.post('/v1/oauth2/token', 'grant_type=client_credentials', { auth })
    token = { value: data.access_token, until: Date.now() + data.expires_in * 1_000 }
  }
  return `Bearer ${token.value}`
}

export async function subscribe(order: string, customer: object): Promise<unknown> {
  try {
    const headers = { authorization: await authorization(), [idempotencyHeader]: order }
    return (await http.post(url, customer, { headers })).data
  } catch (error) {
    // What happened to a subscription is in the outbox by now: this is a token that could not be had.
    if (!axios.isAxiosError(error) || (error.response?.status ?? 503) < 500) throw error
    const [headers, body] = [{ 'content-type': 'application/json' }, JSON.stringify(customer)]
    const { id } = await outbox.enqueue({ url, headers, body, idempotencyHeader, idempotencyKey: order })
    return { status: 'pending', retry: true, id }
  }
}
