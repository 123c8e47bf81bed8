// The clients that requests are made with, bare and guarded, over the same sockets.
import { Agent as HttpAgent } from 'node:http'
import { breaker as axiosBreaker } from '@fuseboard/axios'
import { createBoard, guardFetch } from '@fuseboard/core'
import { breaker as gotBreaker } from '@fuseboard/got'
import { breaker as kyBreaker } from '@fuseboard/ky'
import { breaker } from '@fuseboard/undici'
import axios from 'axios'
import got from 'got'
import ky from 'ky'
import { Agent, request } from 'undici'

/** Makes a request and reads its answer to the end. */
type Ask = (url: string) => Promise<unknown>

/** One client. */
export interface Entrant {
  readonly bare: Ask
  readonly guarded: Ask
  /** Gives the sockets back. */
  readonly close?: () => unknown
}

/** Clients by name. */
export const ENTRANTS = {
  undici() {
    const agent = new Agent()
    const guarded = agent.compose(breaker(createBoard()))
    const ask = async (url: string, dispatcher: Agent | typeof guarded): Promise<void> =>
      (await request(url, { dispatcher })).body.dump()
    return { bare: (url) => ask(url, agent), guarded: (url) => ask(url, guarded), close: () => agent.close() }
  },
  guardFetch() {
    const guarded = guardFetch(createBoard())
    return { bare: async (url) => (await fetch(url)).text(), guarded: async (url) => (await guarded(url)).text() }
  },
  axios() {
    const httpAgent = new HttpAgent({ keepAlive: true })
    const [bare, guarded] = [axios.create({ httpAgent }), axiosBreaker(createBoard())(axios.create({ httpAgent }))]
    return { bare: (url) => bare.get(url), guarded: (url) => guarded.get(url), close: () => httpAgent.destroy() }
  },
  ky() {
    const guarded = ky.extend(kyBreaker(createBoard()))
    return { bare: (url) => ky.get(url).text(), guarded: (url) => guarded.get(url).text() }
  },
  got() {
    const agent = { http: new HttpAgent({ keepAlive: true }) }
    const [bare, guarded] = [got.extend({ agent }), got.extend({ agent }, gotBreaker(createBoard()))]
    return { bare: (url) => bare.get(url), guarded: (url) => guarded.get(url), close: () => agent.http.destroy() }
  },
} satisfies Record<string, () => Entrant>

export type ClientName = keyof typeof ENTRANTS
