// Stands for Lambda's runtime: takes invocations from the Runtime API, gives them to the handler, and gives back what it says.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'

type Handler = (event: unknown, context: object) => unknown

const { AWS_LAMBDA_RUNTIME_API: host = '', LAMBDA_TASK_ROOT: root = '', _HANDLER: named = '' } = process.env
const api = `http://${host}/2018-06-01/runtime`

// A test need not wait as long as a process was frozen: an invocation says how far the clocks have gone on.
let ahead = 0
for (const clock of [Date, performance]) {
  const now = clock.now.bind(clock)
  clock.now = () => now() + ahead
}

try {
  await serve(await load())
} catch (error) {
  await post('init/error', wordsOf(error))
  process.exit(1)
}

async function load(): Promise<Handler> {
  const [file = '', name = ''] = named.split('.')
  const script = join(root, `${file}.cjs`)
  const module = existsSync(script)
    ? createRequire(script)(script)
    : await import(pathToFileURL(join(root, `${file}.mjs`)).href)
  return (module as Record<string, Handler>)[name]!
}

async function serve(handler: Handler): Promise<never> {
  for (;;) {
    // Here a process is frozen, between one invocation and the next.
    const next = await fetch(`${api}/invocation/next`)
    ahead = Number(next.headers.get('clock-ahead-ms'))
    const id = next.headers.get('lambda-runtime-aws-request-id') ?? ''
    try {
      await post(`invocation/${id}/response`, (await handler(await next.json(), { awsRequestId: id })) ?? null)
    } catch (error) {
      await post(`invocation/${id}/error`, wordsOf(error))
    }
  }
}

async function post(path: string, body: unknown): Promise<void> {
  await (await fetch(`${api}/${path}`, { method: 'POST', body: JSON.stringify(body) })).arrayBuffer()
}

function wordsOf(error: unknown): object {
  return error instanceof Error
    ? { errorType: error.name, errorMessage: error.message }
    : { errorMessage: String(error) }
}
