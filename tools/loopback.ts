// Loaded before the program of a block: whatever host it calls, it reaches the one that docs/pages.test.ts has on loopback.
import { syncBuiltinESMExports } from 'node:module'
import { Server, Socket } from 'node:net'
import tls, { type ConnectionOptions } from 'node:tls'

const connect = Reflect.get(Socket.prototype, 'connect') as (this: Socket, ...args: unknown[]) => Socket
const secure = tls.connect as (options: ConnectionOptions, then?: () => void) => tls.TLSSocket

Object.defineProperty(Socket.prototype, 'connect', {
  value(this: Socket, ...args: unknown[]) {
    const [to, then] = (Array.isArray(args[0]) ? args[0] : args) as [{ host?: string; port?: number | string }, unknown]
    if (isLocal(to.host)) return connect.apply(this, args)
    const port = Number(to.port) === 443 ? process.env.DOCS_HTTPS_PORT : process.env.DOCS_HTTP_PORT
    return connect.call(this, { ...to, host: '127.0.0.1', port, lookup: undefined }, then)
  },
})

// Programs that listen on the same port run beside one another.
const listen = Reflect.get(Server.prototype, 'listen') as (this: Server, ...args: unknown[]) => Server
Object.defineProperty(Server.prototype, 'listen', {
  value(this: Server, first: unknown, ...rest: unknown[]) {
    return listen.call(this, typeof first === 'number' ? 0 : first, ...rest)
  },
})

// No certificate could name every host that it is taken for.
Object.assign(tls, {
  connect: (options: ConnectionOptions, then?: () => void) => secure({ ...options, rejectUnauthorized: false }, then),
})
syncBuiltinESMExports()

const isLocal = (host: string | undefined): boolean => /^(?:localhost|127\.[\d.]+|::1)?$/.test(host ?? '')
