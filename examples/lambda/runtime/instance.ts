// An instance of a function as Lambda runs it: a process with a layer beside it, which is frozen between its invocations.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { delimiter, join } from 'node:path'
import process from 'node:process'
import { createInterface } from 'node:readline'
import { runtimeApi } from './runtime-api.ts'

export interface InstanceOptions {
  /** The folder with `handler.mjs` or `handler.cjs`. */
  readonly task: string
  /** Where the layer is unpacked. */
  readonly layer: string
  /** A folder with the SDK, as the runtime brings it: `node_modules` of some package. */
  readonly sdk: string
  /** Of Node. */
  readonly flags: readonly string[]
  readonly env: Readonly<Record<string, string>>
  /** The script that takes the place of Lambda's runtime; it is given the name of the handler. @default a small one of our own */
  readonly runtime?: string
  /** Milliseconds by which its clocks are ahead of ours; ours is the only runtime that heeds it. @default 0 */
  readonly ahead?: () => number
}

/** A line of Embedded Metric Format. */
export type Line = Readonly<Record<string, unknown>>

export interface Instance extends AsyncDisposable {
  /** What the handler returns. Rejects where the invocation fails. */
  invoke(event: object): Promise<unknown>
  /** Stops the process where it stands, once it waits for an invocation. */
  freeze(): Promise<void>
  thaw(): void
  /** What it has told CloudWatch so far. */
  readonly metrics: readonly Line[]
  /** What else it printed. */
  readonly printed: readonly string[]
}

/** Waits until the handler has been loaded. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { task, layer, sdk, flags, env, runtime = BOOTSTRAP, ahead = () => 0 } = options
  const api = await runtimeApi(ahead)
  const child = spawn(process.execPath, [...flags, '--import', RESOLVER, runtime, HANDLER], {
    cwd: task,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      AWS_LAMBDA_RUNTIME_API: api.host,
      AWS_LAMBDA_FUNCTION_NAME: 'verses',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_LAMBDA_LOG_GROUP_NAME: 'verses',
      AWS_LAMBDA_LOG_STREAM_NAME: 'one',
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'nobody',
      AWS_SECRET_ACCESS_KEY: 'nothing',
      LAMBDA_TASK_ROOT: task,
      _HANDLER: HANDLER,
      NODE_PATH: [join(layer, 'nodejs/node_modules'), sdk].join(delimiter),
      ...env,
    },
  })
  const metrics: Line[] = []
  const printed: string[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('{"_aws"')) metrics.push(JSON.parse(line) as Line)
    else printed.push(line)
  })
  createInterface({ input: child.stderr }).on('line', (line) => printed.push(line))
  const ended = once(child, 'close')

  const died = ended.then(() => Promise.reject(new Error(`the instance ended: ${printed.join('\n')}`)))
  died.catch(() => {})

  const instance: Instance = {
    metrics,
    printed,
    invoke: (event) => Promise.race([api.invoke(event), died]),
    async freeze() {
      await Promise.race([api.idle(), died])
      child.kill('SIGSTOP')
    },
    thaw: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await ended
      await api[Symbol.asyncDispose]()
    },
  }
  try {
    await Promise.race([api.idle(), died])
    return instance
  } catch (error) {
    await instance[Symbol.asyncDispose]()
    throw error
  }
}

const HANDLER = 'handler.handler'
const BOOTSTRAP = join(import.meta.dirname, 'bootstrap.ts')
const RESOLVER = join(import.meta.dirname, 'resolver.ts')
