// What the drivers of every client that is a fetch share.
import { Readable } from 'node:stream'
import type { CallOptions, Client } from '../driver.ts'
import { spying, type Dispatcher } from './node-dispatcher.ts'

/** The calls of a client that is a fetch, on a dispatcher that calls with a transport of their own go through. */
export function overFetch(send: typeof fetch, beneath: Dispatcher): Pick<Client, 'call' | 'stream' | 'read'> {
  const ask = (url: string, { onSend, body, ...rest }: CallOptions = {}): Promise<Response> =>
    send(url, {
      ...rest,
      ...(body !== undefined && { body, duplex: 'half' }),
      ...(onSend && { dispatcher: spying(beneath, onSend) }),
    } as RequestInit)

  return {
    async call(url, options) {
      const native = await ask(url, options)
      return { status: native.status, headers: native.headers, text: await native.text(), native }
    },
    async stream(url, options) {
      const { status, headers, body } = await ask(url, options)
      return { status, headers, body: body ? Readable.fromWeb(body) : Readable.from([]) }
    },
    read: async (url, as) => (await ask(url))[as](),
  }
}
