// The layer, built twice and unpacked: the same bytes everywhere, and all that a function needs of Fuseboard.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdtemp, readdir, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { unzipSync } from 'fflate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dynamoServer, TABLE } from '../../packages/stores/test/dynamo-server.ts'
import type { Instance, Line } from './runtime/instance.ts'
import { REFUSES_ESM, SDK, startWorld, unpack, writeTask, type Kind, type World } from './runtime/world.ts'

const run = promisify(execFile)
const root = resolve(import.meta.dirname, '../..')
const PACKAGES = ['core', 'stores', 'telemetry']

let folder = ''
let builds: Buffer[] = []
let layer = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fuseboard-layer-'))
  builds = await Promise.all([
    built(join(folder, 'one'), { day: '1999-12-31T23:59:59Z', zone: 'Pacific/Kiritimati', locale: 'C' }),
    built(join(folder, 'some/where/else'), { day: '2038-02-28T12:00:00Z', zone: 'America/New_York', locale: 'sv_SE' }),
  ])
  layer = join(folder, 'opt')
  await unpack(builds[0]!, layer)
}, 120_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

interface Surroundings {
  readonly day: string
  readonly zone: string
  readonly locale: string
}

/** The layer as another clone builds it, on another day. */
async function built(clone: string, { day, zone, locale }: Surroundings): Promise<Buffer> {
  await copyTo(clone)
  for (const path of await readdir(clone, { recursive: true })) {
    if (!path.includes('node_modules')) await utimes(join(clone, path), new Date(day), new Date(day))
  }
  const env = { ...process.env, TZ: zone, LC_ALL: locale }
  const node = (...args: string[]): Promise<unknown> => run(process.execPath, args, { cwd: clone, env })
  await node(join(root, 'node_modules/typescript/bin/tsc'), '-b', ...PACKAGES.map((name) => join('packages', name)))
  const clock = `globalThis.Date = class extends Date { constructor(...at) { super(...(at.length ? at : ['${day}'])) }
    static now() { return Date.parse('${day}') } }`
  const out = join(clone, 'layer.zip')
  await node('--import', `data:text/javascript,${encodeURIComponent(clock)}`, 'tools/layer.ts', '--out', out)
  return readFile(out)
}

/** What the layer is made of, and the modules that it takes to make it. */
async function copyTo(clone: string): Promise<void> {
  const paths = ['LICENSE', 'package.json', 'tsconfig.base.json', 'tools/layer.ts', 'tools/zip.ts']
  for (const name of PACKAGES)
    for (const part of ['package.json', 'tsconfig.json', 'src', 'node_modules'])
      paths.push(join('packages', name, part))
  // The links of a workspace are relative: in the clone they lead to the clone's packages.
  for (const path of paths) await cp(join(root, path), join(clone, path), { recursive: true, verbatimSymlinks: true })
  await symlink(join(root, 'node_modules'), join(clone, 'node_modules'))
}

describe('the zip', () => {
  test('has the same bytes from two clones in different folders on different days', () => {
    const sums = builds.map((bytes) => createHash('sha256').update(bytes).digest('hex'))
    expect(sums[1]).toBe(sums[0])
  })

  test('has nothing but the packages, where Lambda looks for them, in order', () => {
    const names = Object.keys(unzipSync(builds[0]!))
    expect(names).toEqual(names.toSorted())
    const homes = new Set(names.map((name) => name.split('/').slice(0, 4).join('/')))
    expect([...homes]).toEqual(PACKAGES.map((name) => `nodejs/node_modules/@fuseboard/${name}`))
  })

  test('has no SDK in it: what it needs of others it asks for', async () => {
    const asked = new Set<string>()
    for (const [name, bytes] of Object.entries(unzipSync(builds[0]!))) {
      if (!name.endsWith('.js')) continue
      const code = new TextDecoder().decode(bytes)
      for (const [, specifier = ''] of code.matchAll(/(?:^import |\bfrom |\b(?:import|require)\()"([^"\n]+)"/gm))
        if (!/^(?:\.|node:)/.test(specifier)) asked.add(specifier)
    }
    const clients = ['cloudwatch', 'dynamodb', 'sns'].map((name) => `@aws-sdk/client-${name}`)
    expect([...asked].toSorted()).toEqual([...clients, '@fuseboard/core'])
  })

  test('gives every entry of every package, to import and to require alike', async () => {
    const script = `
      import { createRequire } from 'node:module'
      const require = createRequire(${JSON.stringify(join(layer, 'beside.js'))})
      for (const name of ${JSON.stringify(await entries())}) {
        const imported = Object.keys(await import(name)).toSorted()
        const required = Object.keys(require(name)).filter((key) => key !== '__esModule').toSorted()
        console.log(name, require.resolve(name).includes('/cjs/'), imported.length > 0, imported.join() === required.join())
      }`
    const file = join(folder, 'entries.mjs')
    await writeFile(file, script)
    const resolver = join(import.meta.dirname, 'runtime/resolver.ts')
    const env = { ...process.env, NODE_PATH: `${join(layer, 'nodejs/node_modules')}:${SDK}` }
    const { stdout } = await run(process.execPath, [...REFUSES_ESM, '--import', resolver, file], { env })
    expect(stdout.trimEnd().split('\n')).toEqual((await entries()).map((name) => `${name} true true true`))
  })
})

/** What the packages publish: `@fuseboard/stores/dynamodb`, and so on. */
async function entries(): Promise<string[]> {
  const found: string[] = []
  for (const folder of PACKAGES) {
    const text = await readFile(join(root, 'packages', folder, 'package.json'), 'utf8')
    const { name, exports } = JSON.parse(text) as { name: string; exports: object }
    for (const entry of Object.keys(exports)) found.push(join(name, entry))
  }
  return found
}

const VERSE = { reference: 'John 3:16' }
const READ = expect.objectContaining({
  text: expect.stringContaining('For God so loved the world') as string,
}) as object
const MADE = { reference: 'John 3:16', text: '[Bible verse temporarily unavailable]' }
/** Longer than the circuit of the example is open: 30 s, and by a fifth of that a probe may be late. */
const LONGER_THAN_OPEN = 37_000

interface Started extends AsyncDisposable, Pick<World, 'service' | 'instances'> {
  /** The clocks of all of them go on by so much. */
  advance(ms: number): void
}

/** Instances of one function, the service that they ask, and their table. */
async function started(kind: Kind, count: number, env: Readonly<Record<string, string>> = {}): Promise<Started> {
  await using stack = new AsyncDisposableStack()
  const clock = { ahead: 0 }
  const { port } = stack.use(await dynamoServer(() => Date.now() + clock.ahead))
  const task = join(folder, `task-${kind}`)
  await writeTask(task, kind)
  const ahead = (): number => clock.ahead
  const world = await startWorld({ kind, task, layer, port, table: TABLE, instances: count, env, ahead })
  const { service, instances } = stack.use(world)
  const all = stack.move()
  return {
    service,
    instances,
    advance: (ms) => void (clock.ahead += ms),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

describe.concurrent('a handler from the layer', () => {
  test.each(['ESM', 'CommonJS'] as const)(
    'in %s shares its circuit with other instances, and finds it well again after it was frozen',
    async (kind) => {
      await using world = await started(kind, 2)
      const { service, instances } = world
      const [first, second] = instances as [Instance, Instance]
      expect([await first.invoke(VERSE), await second.invoke(VERSE)]).toEqual([READ, READ])
      expect(states(first)).toEqual([0])

      await service.breakDown('limiter-store-down')
      for (let nth = 0; nth < 4; nth++) expect(await first.invoke(VERSE)).toEqual(MADE)
      expect(service.counters.dead).toBe(3)
      expect(states(first).at(-1)).toBe(1)
      expect(sum(first, 'CircuitOpened')).toBe(1)

      // By itself it would try three times, and needs but two: the fleet has found the same.
      for (let nth = 0; nth < 4; nth++) expect(await second.invoke(VERSE)).toEqual(MADE)
      expect(service.counters.dead).toBe(3 + 2)

      await Promise.all([first.freeze(), second.freeze()])
      await service.mend()
      world.advance(LONGER_THAN_OPEN)
      first.thaw()
      second.thaw()
      expect([await first.invoke(VERSE), await second.invoke(VERSE)]).toEqual([READ, READ])
      expect([states(first).at(-1), states(second).at(-1)]).toEqual([0, 0])
      expect([...first.printed, ...second.printed]).toEqual([])
    },
  )

  test('asks all the same where FUSEBOARD=off', async () => {
    await using world = await started('ESM', 1, { FUSEBOARD: 'off' })
    const { service, instances } = world
    const [first] = instances as [Instance]
    await service.breakDown('limiter-store-down')
    for (let nth = 0; nth < 5; nth++) await expect(first.invoke(VERSE)).rejects.toThrow('SyntaxError')
    expect(service.counters.dead).toBe(5)
  })

  test('says at once what is not set', async () => {
    await expect(started('ESM', 1, { FUSEBOARD_TABLE: '' })).rejects.toThrow('dynamoFleet.table must be')
  })
})

const valuesOf = ({ metrics }: Instance, name: string): number[] =>
  metrics.flatMap((line: Line) => (name in line ? [line[name] as number] : []))
const states = (instance: Instance): number[] => valuesOf(instance, 'CircuitBreakerState')
const sum = (instance: Instance, name: string): number => valuesOf(instance, name).reduce((a, b) => a + b, 0)
