// Alerts to a URL: Slack's incoming webhooks, or anything that takes JSON.
import { createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import type { Notifier } from './alert.ts'
import { checkOptions } from './checks.ts'

/** How alerts are posted. */
export interface WebhookOptions {
  /** Signs each post, so that its receiver knows who it is from. @default none */
  secret?: string | undefined
}

/** How long is waited before the second try, and before the third. */
const PAUSES = [200, 1_000]

/**
 * Posts alerts as JSON: `{ text, alert }`, where `text` is what Slack shows. It uses Node's own HTTP, which no breaker guards: an
 * alert about a host gets through even where that is the webhook's own. A network error, a 429 and a 5xx are tried again, twice.
 *
 * With a secret, `fuseboard-signature` is `v1=` and the HMAC-SHA256, in hex, of `fuseboard-timestamp` (seconds since the epoch),
 * a dot, and the body.
 *
 * @throws TypeError where the URL or an option is wrong
 */
export function webhook(url: string | URL, options: WebhookOptions = {}): Notifier {
  checkOptions('webhook', options, ['secret'])
  const { secret } = options
  const target = readUrl(url)
  // Neither the URL, which often is a secret itself, nor the secret is told.
  if (secret !== undefined && (typeof secret !== 'string' || secret === ''))
    throw new TypeError('webhook.secret must be a text that is not empty')

  return {
    name: `webhook ${target.host}`,
    async notify(alert, signal) {
      const body = JSON.stringify({ text: forSlack(alert.text), alert })
      for (const wait of PAUSES) {
        if (await attempt(target, body, secret, signal)) return
        await pause(wait, undefined, { signal })
      }
      await post(target, body, secret, signal)
    },
  }
}

/** Whether it is done; false where it may be tried again. */
async function attempt(url: URL, body: string, secret: string | undefined, signal: AbortSignal): Promise<boolean> {
  try {
    await post(url, body, secret, signal)
    return true
  } catch (error) {
    if (signal.aborted || (error instanceof Refused && !error.passing)) throw error
    return false
  }
}

class Refused extends Error {
  readonly passing: boolean

  constructor(status: number) {
    super(`the answer was ${status}`)
    this.passing = status === 429 || status >= 500
  }
}

function post(url: URL, body: string, secret: string | undefined, signal: AbortSignal): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(secret === undefined ? {} : signed(body, secret)),
  }
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
  return new Promise((resolve, reject) => {
    const request = send(url, { method: 'POST', headers, signal }, (response) => {
      response.resume()
      const { statusCode = 0 } = response
      if (statusCode >= 200 && statusCode < 300) resolve()
      else reject(new Refused(statusCode))
    })
    request.on('error', reject)
    request.end(body)
  })
}

function signed(body: string, secret: string): Record<string, string> {
  const timestamp = `${Math.floor(Date.now() / 1_000)}`
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
  return { 'fuseboard-timestamp': timestamp, 'fuseboard-signature': `v1=${signature}` }
}

/** Slack reads `<!channel>` and links out of a text, which a name must not be able to make. */
const forSlack = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function readUrl(url: unknown): URL {
  const read = typeof url === 'string' && URL.canParse(url) ? new URL(url) : url
  if (read instanceof URL && (read.protocol === 'https:' || read.protocol === 'http:')) return read
  throw new TypeError('webhook needs an absolute http or https URL')
}
