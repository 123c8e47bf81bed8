// A function with the layer beside it, as many instances of it as wanted, a table, and the service that they ask: on loopback.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { transform } from 'esbuild'
import { unzipSync } from 'fflate'
import { BibleServer } from '../../bible/server.ts'
import { startInstance, type Instance } from './instance.ts'

export type Kind = 'ESM' | 'CommonJS'

/** What AWS starts Node 22 with: `require` of ESM is refused. */
export const REFUSES_ESM: readonly string[] = ['--no-experimental-require-module', '--no-experimental-detect-module']

/** Where the SDK is, as Lambda brings it. */
export const SDK: string = join(import.meta.dirname, '../../node_modules')

export interface WorldOptions {
  readonly kind: Kind
  readonly task: string
  readonly layer: string
  /** Of the table's DynamoDB. */
  readonly port: number
  readonly table: string
  readonly instances: number
  readonly env?: Readonly<Record<string, string>>
  /** The script that takes the place of Lambda's runtime. @default a small one of our own */
  readonly runtime?: string
  /** Milliseconds by which the clocks of the instances are ahead of ours. @default 0 */
  readonly ahead?: () => number
}

export interface World extends AsyncDisposable {
  readonly service: BibleServer
  readonly instances: readonly Instance[]
}

/** Starts them all, or none. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { kind, task, layer, port, table, instances: count, env, runtime, ahead = () => 0 } = options
  await using stack = new AsyncDisposableStack()
  const service = await BibleServer.listen()
  stack.defer(() => service.close())
  const start = async (): Promise<Instance> =>
    stack.use(
      await startInstance({
        task,
        layer,
        sdk: SDK,
        ahead,
        flags: kind === 'ESM' ? [] : REFUSES_ESM,
        ...(runtime === undefined ? {} : { runtime }),
        env: {
          AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${port}`,
          FUSEBOARD_TABLE: table,
          FUSEBOARD_NAMESPACE: kind,
          VERSES: service.origin,
          ...env,
        },
      }),
    )
  const starts = Array.from({ length: count }, start)
  // Where one does not start, the others have to have done so before they can be ended.
  await Promise.allSettled(starts)
  const instances = await Promise.all(starts)
  const all = stack.move()
  return { service, instances, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** Unpacks a layer, as Lambda does below /opt. */
export async function unpack(zip: Uint8Array, layer: string): Promise<void> {
  for (const [path, bytes] of Object.entries(unzipSync(zip))) {
    await mkdir(dirname(join(layer, path)), { recursive: true })
    await writeFile(join(layer, path), bytes)
  }
}

/** Writes the handler of the example into a folder, as it is or as CommonJS. */
export async function writeTask(task: string, kind: Kind): Promise<void> {
  const code = await readFile(join(import.meta.dirname, '../handler.mjs'), 'utf8')
  await mkdir(task, { recursive: true })
  if (kind === 'ESM') await writeFile(join(task, 'handler.mjs'), code)
  else await writeFile(join(task, 'handler.cjs'), (await transform(code, { format: 'cjs', platform: 'node' })).code)
}
