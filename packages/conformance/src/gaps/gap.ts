// What a client cannot do by nature: why, and what happens instead. Each client's list is a file here; what is in none is a defect.
import { once } from 'node:events'
import { expect, vi } from 'vitest'
import type { CaseId } from '../cases/case.ts'
import { caught, type World } from '../world.ts'

export interface Gap {
  readonly id: CaseId
  /** Why there is no way around it. */
  readonly why: string
  /** What happens instead, as a sentence. */
  readonly instead: string
  /** The test of that, in the world of the case. */
  readonly run: (world: World) => Promise<void>
}

export const noBase = (client: string): Gap => ({
  id: '42d',
  why: `${client} knows no base URL`,
  instead: 'a relative URL is the mistake of the caller',
  async run({ client, recorded, server }) {
    await caught(client.call('/ok'))
    await recorded([])
    expect(server.connections).toBe(0)
  },
})

export const passedBy = (why: string): Gap => ({
  id: '57b',
  why,
  instead: 'a dispatcher that one call brings goes past the breaker',
  async run({ circuit, recorded, status }) {
    const onSend = vi.fn<() => void>()
    circuit().trip()
    expect(await status('/ok', { onSend })).toBe(200)
    expect(onSend).toHaveBeenCalledOnce()
    await recorded([])
  },
})

export const webSocketPasses = (id: CaseId): Gap => ({
  id,
  why: 'a WebSocket does not go through fetch',
  instead: 'a WebSocket goes past the breaker',
  async run({ at, client, circuit, recorded, server }) {
    expect(client.upgrade).toBeUndefined()
    circuit().isolate()
    const socket = new WebSocket(at('/ws').replace('http', 'ws'))
    await once(socket, 'open')
    await recorded([])
    expect(server.requests('/ws')).toBe(1)
    socket.close()
  },
})
