// AWS on loopback: keeps what the real clients of the SDK sent, and answers as CloudWatch and SNS do.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'

/** A request as it came over the wire, its body unpacked. */
interface Received {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface Aws extends AsyncDisposable {
  readonly received: Received[]
  /** What a client of the SDK is made with. It tries once. */
  readonly config: {
    endpoint: string
    region: string
    maxAttempts: number
    credentials: { accessKeyId: string; secretAccessKey: string }
  }
  /** How the next requests are answered. @default 'well' */
  answers: 'well' | 'failure' | 'never'
}

export async function aws(): Promise<Aws> {
  const received: Received[] = []
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bytes = await buffer(request)
    const body = request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
    received.push({ headers: request.headers, body: body.toString() })
    if (self.answers === 'never') return
    if (self.answers === 'failure') response.writeHead(500).end('{}')
    else if (request.headers['content-type'] === 'application/x-www-form-urlencoded') response.end(PUBLISHED)
    else response.end('{}')
  }
  const server = createServer((request, response) => void answer(request, response))
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const self: Aws = {
    received,
    config: {
      endpoint: `http://127.0.0.1:${port}`,
      region: 'eu-central-1',
      maxAttempts: 1,
      credentials: { accessKeyId: 'nobody', secretAccessKey: 'nothing' },
    },
    answers: 'well',
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    },
  }
  return self
}

const PUBLISHED = `<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">
  <PublishResult><MessageId>1</MessageId></PublishResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>
</PublishResponse>`
