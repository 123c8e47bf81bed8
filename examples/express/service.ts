// A web service that asks three hosts through one board: where one is down its route says so at once, and the others do not notice.
import { circuitOpen, guardFetch, type Board } from '@fuseboard/core'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { NAMES, type Origins } from './policy.ts'

/** Milliseconds that a host may take: whoever asked waits, too. */
const PATIENCE = 1_000

/** The host did not answer as it should. */
class HostFailed extends Error {}

/** `GET /verses/<id>`, `/plans/<id>` and `/videos/<id>`, each from its own host. */
export function service(board: Board, origins: Origins): Express {
  const fetch = guardFetch(board)
  const app = express().disable('x-powered-by')
  for (const name of NAMES) {
    app.get(`/${name}/:id`, async ({ params: { id } }, response) => {
      const url = `${origins[name]}/${encodeURIComponent(id)}`
      const answer = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) }).catch(failed)
      const body = await answer.text().catch(failed)
      if (answer.status >= 500) throw new HostFailed(`${name} answered ${answer.status}`)
      response.status(answer.status).type('json').send(body)
    })
  }
  return app.use(unavailable)
}

/** A refusal is a 503 that says when to come back: nothing was sent. What the host did wrong is a 502. */
const unavailable: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  const open = circuitOpen(error)
  if (response.headersSent || (open === undefined && !(error instanceof HostFailed))) return next(error)
  if (open === undefined) return void response.status(502).json({ error: (error as HostFailed).message })
  const seconds = Math.max(Math.ceil((open.retryAfterMs ?? 1_000) / 1_000), 1)
  response.status(503).set('retry-after', String(seconds)).json({ error: open.message })
}

function failed(error: unknown): never {
  if (circuitOpen(error) !== undefined) throw error
  const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException }
  throw new HostFailed(name === 'TimeoutError' ? 'no answer in time' : (cause?.code ?? message), { cause: error })
}
