// A host on loopback that answers everything at once; it says its port to the process that forked it.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const BODY = JSON.stringify({ reference: 'John 3:16', text: 'For God so loved the world' })
const HEAD = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(BODY) }

const server = createServer((_request, response) => response.writeHead(200, HEAD).end(BODY))
server.keepAliveTimeout = 0
server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
