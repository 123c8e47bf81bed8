// What those who run the service look at, on a port of its own: whether it is ready, its metrics, and its circuits.
import { adminHandler } from '@fuseboard/core/admin'
import type { Board } from '@fuseboard/core'
import { promClient } from '@fuseboard/telemetry/prometheus'
import express, { type Express } from 'express'
import client from 'prom-client'
import { web } from './web.ts'

/** @param operator the token of those who may change a circuit; all others may look */
export function operations(board: Board, operator: string): Express {
  const register = new client.Registry()
  promClient(board, { client, register })
  const admin = adminHandler(board, {
    basePath: '/fuseboard',
    authorize: ({ headers }, action) => action === 'look' || headers.get('authorization') === `Bearer ${operator}`,
  })
  const app = express().disable('x-powered-by')
  app.get('/ready', (_request, response) => void response.json(readiness(board)))
  app.get('/metrics', async (_request, response) => {
    response.set('content-type', register.contentType).end(await register.metrics())
  })
  return app.use('/fuseboard', web(admin))
}

/**
 * An open circuit is no reason to restart this process, or to send its callers elsewhere: another instance meets the same host,
 * and all other routes are well. So this says what is degraded, and that with a 200.
 */
function readiness(board: Board): object {
  const degraded = [...board.circuits()]
    .filter(({ state }) => state !== 'closed' && state !== 'bypassed')
    .map((circuit) => ({ host: circuit.label, state: circuit.state, why: circuit.explain() }))
  return { status: degraded.length === 0 ? 'ok' : 'degraded', degraded }
}
