// The example's function on AWS's own runtime client, with the layer: half a minute open, frozen for longer than a connection lasts.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Instance } from '../../examples/lambda/runtime/instance.ts'
import { startWorld, unpack, writeTask, type Kind } from '../../examples/lambda/runtime/world.ts'
import { Store, TABLE } from '../fleet/stores.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')

/** Not among the dependencies: it compiles for a minute, and takes cmake and a C++ compiler. */
const CLIENT = 'aws-lambda-ric@4.0.2'
/** The open time of the example, and as much longer as a probe may be late. */
const OPEN_FOR = 37_000
/** DynamoDB's stand-in closes a connection that has been idle for 5 s. */
const LONGER_THAN_A_CONNECTION = 7_000

/** @returns the bounds that did not hold */
export async function soakLambda(print: (line: string) => void): Promise<readonly string[]> {
  print('\nlambda: two instances on aws-lambda-ric with the layer, a circuit that opens for 30 s, frozen and thawed')
  const folder = await mkdtemp(join(tmpdir(), 'fuseboard-lambda-'))
  try {
    const client = await install(join(folder, 'client'))
    if (client === undefined) {
      print(`skipped: ${CLIENT} could not be built here; it takes npm, cmake and a C++ compiler`)
      return []
    }
    const layer = join(folder, 'opt')
    await unpack(await buildLayer(join(folder, 'layer.zip')), layer)
    await using store = await Store.start('dynamodb')
    const kinds: readonly Kind[] = ['ESM', 'CommonJS']
    const trials = kinds.map((kind) => trial({ kind, layer, client, store, task: join(folder, kind) }))
    return (await Promise.all(trials)).flatMap((bounds, nth) => {
      const kept = bounds.filter(([, holds]) => holds).length
      print(`${`${kinds[nth]} handler`.padEnd(28)}${kept} of ${bounds.length} bounds held`)
      const broken = bounds.filter(([, holds]) => !holds).map(([what]) => what)
      for (const what of broken) print(`  BROKEN  ${what}`)
      return broken.map((what) => `lambda, ${kinds[nth]}: ${what}`)
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The script of the runtime client; undefined where it cannot be built. */
async function install(folder: string): Promise<string | undefined> {
  const home = join(folder, 'node_modules/aws-lambda-ric')
  try {
    await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', CLIENT], { timeout: 300_000 })
    await readFile(join(home, 'rapid-client.node'))
    return join(home, 'index.mjs')
  } catch {
    return undefined
  }
}

async function buildLayer(out: string): Promise<Buffer> {
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-b', join(root, 'tsconfig.build.json')])
  await run(process.execPath, [join(root, 'tools/layer.ts'), '--out', out])
  return readFile(out)
}

interface Trial {
  readonly kind: Kind
  readonly layer: string
  readonly client: string
  readonly store: Store
  readonly task: string
}

type Bound = readonly [what: string, holds: boolean]

async function trial({ kind, layer, client, store, task }: Trial): Promise<readonly Bound[]> {
  await writeTask(task, kind)
  const options = { kind, task, layer, port: store.port, table: TABLE, instances: 2, runtime: client }
  await using world = await startWorld(options)
  const { service, instances } = world
  const [first, second] = instances as [Instance, Instance]
  const bounds: Bound[] = [['both read a verse', (await reads(first)) && (await reads(second))]]

  await service.breakDown('limiter-store-down')
  for (let nth = 0; nth < 5; nth++) bounds.push(['the first gives its fallback', !(await reads(first))])
  bounds.push(['the first asks three times, and no more', service.counters.dead === 3])
  for (let nth = 0; nth < 5; nth++) bounds.push(['the second gives its fallback', !(await reads(second))])
  bounds.push(['the second asks twice, and no more', service.counters.dead === 5])

  await frozen(instances, LONGER_THAN_A_CONNECTION)
  const thawed = [await reads(first), await reads(second)]
  bounds.push(['thawed while it is open neither asks', !thawed.includes(true) && service.counters.dead === 5])

  await service.mend()
  await frozen(instances, OPEN_FOR)
  bounds.push(['thawed once the time is over both read a verse', (await reads(first)) && (await reads(second))])
  bounds.push(['both have told that it is closed', instances.every((one) => lastState(one) === 0)])
  bounds.push(['nothing is printed but metrics', instances.every(({ printed }) => printed.length === 0)])
  return bounds
}

/** Whether an invocation comes back with a verse, and not with what stands in for it. */
async function reads(instance: Instance): Promise<boolean> {
  const verse = (await instance.invoke({ reference: 'John 3:16' })) as { text?: string }
  return verse.text?.includes('God so loved the world') === true
}

async function frozen(instances: readonly Instance[], ms: number): Promise<void> {
  await Promise.all(instances.map((one) => one.freeze()))
  await sleep(ms)
  for (const one of instances) one.thaw()
}

const lastState = ({ metrics }: Instance): unknown =>
  metrics.findLast((line) => 'CircuitBreakerState' in line)?.['CircuitBreakerState']
