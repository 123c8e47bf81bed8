// Five hosts on loopback: each answers after a while, but those that are asked to be dead accept and say nothing. They count what
// reaches them.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How long a host takes to answer, in milliseconds. */
const TAKES = 5

const dead = new Set<number>()
const reached = [0, 0, 0, 0, 0]

const servers = reached.map((_, host) =>
  createServer((_request, response) => {
    reached[host]!++
    if (!dead.has(host)) setTimeout(() => response.end('{}'), TAKES)
  }).listen(0, '127.0.0.1'),
)

process.on('message', (message: { die?: number; count?: true }) => {
  if (message.die !== undefined) dead.add(message.die)
  if (message.count) process.send!(reached)
})
process.on('disconnect', () => process.exit())

await Promise.all(servers.map((server) => new Promise((resolve) => server.once('listening', resolve))))
process.send!(servers.map((server) => (server.address() as AddressInfo).port))
