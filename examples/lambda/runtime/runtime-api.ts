// Lambda's Runtime API on loopback, for one instance: hands out invocations one at a time, and takes what became of them.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface RuntimeApi extends AsyncDisposable {
  /** Host and port, as `AWS_LAMBDA_RUNTIME_API` names it. */
  readonly host: string
  /** Waits until the instance has asked for an invocation, hands it this one, and waits for what becomes of it. */
  invoke(event: object): Promise<unknown>
  /** Waits until the instance asks for an invocation: that is when it may be frozen. Rejects where it could not start. */
  idle(): Promise<void>
}

/** @param ahead milliseconds by which the clocks of the instance are to be ahead of ours */
export async function runtimeApi(ahead: () => number): Promise<RuntimeApi> {
  let asking = deferred<ServerResponse>()
  let result = deferred<unknown>()

  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url ?? ''
    if (path.endsWith('/invocation/next')) return asking.resolve(response)
    const said = JSON.parse(await text(request)) as unknown
    response.writeHead(202, { 'content-type': 'application/json' }).end('{}')
    if (path.endsWith('/response')) result.resolve(said)
    else if (path.endsWith('/init/error')) asking.reject(asError(said))
    else result.reject(asError(said))
  }

  const server = createServer((request, response) => void receive(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async invoke(event) {
      const response = await asking.promise
      asking = deferred()
      result = deferred()
      response.writeHead(200, {
        'content-type': 'application/json',
        'clock-ahead-ms': `${ahead()}`,
        'lambda-runtime-aws-request-id': crypto.randomUUID(),
        'lambda-runtime-deadline-ms': `${Date.now() + 10_000}`,
        'lambda-runtime-invoked-function-arn': 'arn:aws:lambda:eu-central-1:123456789012:function:verses',
      })
      response.end(JSON.stringify(event))
      return result.promise
    },
    async idle() {
      await asking.promise
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (reason: Error) => void
}

function deferred<T>(): Deferred<T> {
  let settle: Omit<Deferred<T>, 'promise'> | undefined
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }))
  return { promise, ...settle! }
}

function asError(said: unknown): Error {
  const { errorType = 'Error', errorMessage = '' } = said as { errorType?: string; errorMessage?: string }
  return new Error(`${errorType}: ${errorMessage}`)
}
