// fuseboard-alarms: three formats that say the same, run as its users run it.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { board, ODD } from '../test/board.ts'
import { alarmsCommand } from './alarms-command.ts'
import { nameOf } from './tally.ts'

const run = promisify(execFile)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const BOARD = here('../test/board.ts')
const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:admin'
const GUIDE = ['--namespace', 'CCT/CircuitBreakers', '--dimension', 'ServiceName', '--topic', TOPIC]

type Properties = Record<string, unknown>

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fuseboard-alarms-'))
})
afterAll(() => rm(folder, { recursive: true }))

const alarms = async (...args: string[]): Promise<string> => (await alarmsCommand(args)).text

async function cfn(...args: string[]): Promise<Properties[]> {
  const stdout = await alarms('--board', BOARD, '--format', 'cfn', ...args)
  const { Resources } = JSON.parse(stdout) as { Resources: Record<string, { Properties: Properties }> }
  return Object.values(Resources).map(({ Properties }) => Properties)
}

describe('the table', () => {
  test('has the alarm of the guide: its name, its metric, its dimension', async () => {
    const [alarm] = await cfn(...GUIDE)
    expect(alarm).toEqual({
      AlarmName: 'bible-api-circuit-open',
      AlarmDescription: 'The circuit of bible-api is open: its calls are refused, and not sent',
      Namespace: 'CCT/CircuitBreakers',
      MetricName: 'CircuitBreakerState',
      Dimensions: [{ Name: 'ServiceName', Value: 'bible-api' }],
      Statistic: 'Maximum',
      Period: 60,
      EvaluationPeriods: 1,
      DatapointsToAlarm: 1,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      AlarmActions: [TOPIC],
      OKActions: [TOPIC],
    })
  })

  test('has one for each name that circuits will have, by what CloudWatch will see', async () => {
    const values = (await cfn()).map(({ Dimensions }) => (Dimensions as { Value: string }[])[0]?.Value)
    const labels = board.hosts().flatMap(({ label }) => label ?? [])
    expect(labels).toEqual(['bible-api', 'api.paypal.com', 'www.paypal.com:8443', 'videos', ...ODD])
    expect(values).toEqual([...labels.map(nameOf), 'video'])
  })

  test('gives each alarm a name and an id of its own, whatever the labels are', async () => {
    const names = (await cfn()).map(({ AlarmName }) => AlarmName as string)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) expect(name).toMatch(/^[a-z\d][\w.-]{0,254}$/i)
  })

  test('says which hosts have none, and why', async () => {
    const { notes } = await alarmsCommand(['--board', BOARD, '--format', 'cli'])
    expect(notes).toEqual(['none for *.example.com: it stands for several circuits; a label makes them one'])
  })

  test('waits for two minutes of three with --pager, and tells nobody without --topic', async () => {
    const [alarm] = await cfn('--pager')
    expect(alarm).toMatchObject({ EvaluationPeriods: 3, DatapointsToAlarm: 2 })
    expect(Object.keys(alarm ?? {})).not.toContain('AlarmActions')
  })

  test('has one for the outbox with --outbox, in seconds and without a dimension', async () => {
    const alarm = (await cfn('--outbox', '300', '--prefix', 'shop-')).at(-1)
    expect(alarm).toMatchObject({ AlarmName: 'shop-outbox-oldest-age', MetricName: 'OutboxOldestAge', Threshold: 300 })
    expect(alarm).not.toHaveProperty('Dimensions')
  })
})

describe('--format cfn', () => {
  test('is what CloudFormation takes: each property by name and type', async () => {
    const db = await loadAwsServiceSpec()
    const { properties } = db.lookup('resource', 'cloudFormationType', 'equals', 'AWS::CloudWatch::Alarm').only()
    const typeOf = (value: unknown): string => {
      if (Array.isArray(value)) return `array of ${typeOf(value[0])}`
      return typeof value === 'object' ? 'ref' : typeof value
    }
    const expected = (type: { type: string; element?: { type: string } }): string => {
      if (type.element !== undefined) return `array of ${expected(type.element)}`
      return type.type === 'integer' ? 'number' : type.type
    }
    for (const alarm of await cfn(...GUIDE, '--outbox', '60')) {
      for (const [name, value] of Object.entries(alarm)) {
        expect(Object.keys(properties)).toContain(name)
        expect([name, typeOf(value)]).toEqual([name, expected(properties[name]?.type as never)])
        if (properties[name]?.type.type === 'integer') expect(value).toSatisfy(Number.isInteger)
      }
      const required = Object.entries(properties).filter(([, property]) => property.required === true)
      expect(Object.keys(alarm)).toEqual(expect.arrayContaining(required.map(([name]) => name)))
      for (const dimension of (alarm['Dimensions'] ?? []) as object[])
        expect(Object.keys(dimension)).toEqual(dimensionNames(db))
    }
  })

  test('is a template whose ids are letters and digits', async () => {
    const stdout = await alarms('--board', BOARD, '--format', 'cfn')
    const { Resources } = JSON.parse(stdout) as { Resources: Record<string, { Type: string }> }
    expect(Object.keys(Resources)[0]).toBe('BibleApiCircuitOpen')
    for (const [id, { Type }] of Object.entries(Resources))
      expect([id, Type]).toEqual([expect.stringMatching(/^[a-z\d]{1,255}$/i), 'AWS::CloudWatch::Alarm'])
  })
})

function dimensionNames(db: Awaited<ReturnType<typeof loadAwsServiceSpec>>): string[] {
  const alarm = db.lookup('resource', 'cloudFormationType', 'equals', 'AWS::CloudWatch::Alarm').only()
  const type = db.follow('usesType', alarm).find(({ entity }) => entity.name === 'Dimension')?.entity
  return Object.keys(type?.properties ?? {}).toSorted()
}

describe('--format cli', () => {
  test('says the same as the template, once a shell has read it', async () => {
    const stdout = await alarms('--board', BOARD, '--format', 'cli', ...GUIDE, '--outbox', '300')
    const commands = (await inShell(stdout)).map(([service, action, ...options]) => {
      expect([service, action]).toEqual(['cloudwatch', 'put-metric-alarm'])
      return readOptions(options)
    })
    expect(commands).toEqual((await cfn(...GUIDE, '--outbox', '300')).map(asOptions))
  })

  test('stops at the first alarm that is refused', async () => {
    const stdout = await alarms('--board', BOARD, '--format', 'cli')
    await expect(inShell(stdout, 1)).rejects.toThrow('the shell ended with 1 after 1 command')
  })
})

/** Runs a script with an `aws` that tells its arguments. */
async function inShell(script: string, status = 0): Promise<string[][]> {
  const bin = join(folder, `bin-${status}`)
  await mkdir(bin, { recursive: true })
  const stub = `#!${process.execPath}\nconsole.log(JSON.stringify(process.argv.slice(2)))\nprocess.exit(${status})\n`
  await writeFile(join(bin, 'aws'), stub, { mode: 0o755 })
  const env = { ...process.env, HOME: '/nowhere', PATH: [bin, process.env['PATH']].join(delimiter) }
  const shell = spawn('sh', [], { env, cwd: bin, stdio: ['pipe', 'pipe', 'inherit'] })
  let told = ''
  shell.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()))
  shell.stdin.end(script)
  const code = await new Promise<number | null>((ended) => shell.on('close', ended))
  const lines = told.split('\n').slice(0, -1)
  if (code !== 0) throw new Error(`the shell ended with ${code} after ${lines.length} command`)
  return lines.map((line) => JSON.parse(line) as string[])
}

/** What comes after each `--option`: no value is taken for one. */
function readOptions(args: readonly string[]): Record<string, string[]> {
  const options: Record<string, string[]> = {}
  let last: string[] = []
  for (const arg of args) {
    if (arg.startsWith('--')) options[arg] = last = []
    else last.push(arg)
  }
  return options
}

/** A property as its option takes it. */
function asOptions(alarm: Properties): Record<string, string[]> {
  const names = Object.entries(alarm).map(([name, value]) => {
    const option =
      name === 'OKActions' ? '--ok-actions' : `-${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
    return [option, name === 'Dimensions' ? dimensions(value as Dimension[]) : [value].flat().map(String)] as const
  })
  return Object.fromEntries(names)
}

interface Dimension {
  Name: string
  Value: string
}

// As the CLI documents it: the short form, or JSON for what the short form reads otherwise.
const dimensions = (list: Dimension[]): string[] =>
  list.every(({ Value }) => /^[\w.:/@-]+$/.test(Value))
    ? list.map(({ Name, Value }) => `Name=${Name},Value=${Value}`)
    : [JSON.stringify(list)]

describe('--format cdk', () => {
  test('is a module that type-checks and makes the same alarms', async () => {
    const stdout = await alarms('--board', BOARD, '--format', 'cdk', ...GUIDE, '--outbox', '300')
    await writeCdk()
    await writeFile(join(folder, 'alarms.ts'), stdout)
    const tsc = here('../../../node_modules/.bin/tsc')
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--types', '', '--ignoreConfig', 'alarms.ts']
    await run(tsc, flags, { cwd: folder }).catch((error: { stdout: string }) => expect(error.stdout).toBe(''))

    const module = (await import(pathToFileURL(join(folder, 'alarms.ts')).href)) as {
      fuseboardAlarms(scope: { made: Record<string, Properties> }): void
    }
    const scope = { made: {} }
    module.fuseboardAlarms(scope)
    expect(Object.values(scope.made)).toEqual((await cfn(...GUIDE, '--outbox', '300')).map(asProps))
  })

  test('is checked by types that would tell of a wrong name', async () => {
    await writeCdk()
    await writeFile(join(folder, 'wrong.ts'), WRONG)
    const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--types', '', '--ignoreConfig', 'wrong.ts']
    const checked = run(here('../../../node_modules/.bin/tsc'), flags, { cwd: folder })
    await expect(checked).rejects.toMatchObject({ stdout: expect.stringContaining("'oKActions'") as string })
  })
})

const WRONG = `import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch'
new CfnAlarm({}, 'Id', { oKActions: [] })
`

/** The CDK, as far as this needs it: its types are made from the same specification as the real ones. */
async function writeCdk(): Promise<void> {
  const db = await loadAwsServiceSpec()
  const { properties } = db.lookup('resource', 'cloudFormationType', 'equals', 'AWS::CloudWatch::Alarm').only()
  const simple: Record<string, string> = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean' }
  const members = Object.entries(properties).map(([name, { type }]) => {
    if (name === 'Dimensions') return 'dimensions?: { name: string; value: string }[]'
    const element = type.type === 'array' ? simple[type.element.type] : undefined
    return `${propName(name)}?: ${element === undefined ? (simple[type.type] ?? 'unknown') : `${element}[]`}`
  })
  const cdk = join(folder, 'node_modules', 'aws-cdk-lib')
  const constructs = join(folder, 'node_modules', 'constructs')
  await Promise.all([cdk, constructs].map((path) => mkdir(path, { recursive: true })))
  const files: readonly [string, string][] = [
    [join(folder, 'package.json'), '{ "type": "module" }'],
    [join(cdk, 'package.json'), '{ "type": "module", "exports": { "./aws-cloudwatch": "./aws-cloudwatch.js" } }'],
    [
      join(cdk, 'aws-cloudwatch.d.ts'),
      `export declare class CfnAlarm { constructor(scope: object, id: string, props: { ${members.join('; ')} }) }`,
    ],
    [
      join(cdk, 'aws-cloudwatch.js'),
      'export class CfnAlarm { constructor(scope, id, props) { if (id in scope.made) throw new Error(id); scope.made[id] = props } }',
    ],
    [join(constructs, 'package.json'), '{ "types": "index.d.ts" }'],
    [join(constructs, 'index.d.ts'), 'export interface Construct {}'],
  ]
  await Promise.all(files.map(([path, text]) => writeFile(path, text)))
}

/** How the CDK writes the name of a property. */
const propName = (name: string): string =>
  name === 'OKActions' ? 'okActions' : `${name[0]?.toLowerCase()}${name.slice(1)}`

function asProps(alarm: Properties): Properties {
  const props = Object.entries(alarm).map(([name, value]) => [
    propName(name),
    name === 'Dimensions' ? (value as Dimension[]).map(({ Name, Value }) => ({ name: Name, value: Value })) : value,
  ])
  return Object.fromEntries(props) as Properties
}

describe('wrong options', () => {
  test.each([
    [[], /^--format must be one of cli, cfn, cdk, got none$/],
    [['--format', 'yaml'], /^--format must be one of cli, cfn, cdk, got yaml$/],
    [['--format', 'toString'], /^--format must be one of/],
    [['--format', 'cli'], /^--board must be the file of a module, got none$/],
    [['--fromat', 'cli'], /^Unknown option '--fromat'/],
    [['board.js'], /^Unexpected argument 'board.js'/],
    [['--format', 'cli', '--board', 'nowhere.js'], /^nowhere\.js could not be imported: /],
    [
      ['--format', 'cli', '--board', here('deadline.ts')],
      /has no board: neither its default export nor one named board/,
    ],
    [['--format', 'cli', '--board', BOARD, '--topic', 'admin'], /^--topic must be an ARN, got admin$/],
    [['--format', 'cli', '--board', BOARD, '--outbox', '5m'], /^--outbox must be a whole number of seconds above 0/],
    [['--format', 'cli', '--board', BOARD, '--namespace', 'AWS/X'], /^--namespace must be 1 to 255/],
    [['--format', 'cli', '--board', BOARD, '--dimension', ''], /^--dimension must be 1 to 255/],
    [['--format', 'cli', '--board', BOARD, '--prefix', 'file://'], /^--prefix must be up to 32/],
  ])('%# are told: %j', async (args, reason) => {
    await expect(alarmsCommand(args)).rejects.toThrow(reason)
  })
})

describe('the command', () => {
  /** What it ends with. */
  async function command(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
    try {
      return { status: 0, ...(await run(process.execPath, [here('alarms-cli.ts'), ...args])) }
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
      return { status: code, stdout, stderr }
    }
  }

  test('ends with status 2, a reason and no output where it is used wrongly', async () => {
    const stderr = 'fuseboard-alarms: --format must be one of cli, cfn, cdk, got yaml\n'
    expect(await command('--format', 'yaml')).toEqual({ status: 2, stdout: '', stderr })
  })

  test('tells its options by --help, which is no error', async () => {
    const { status, stdout, stderr } = await command('--help')
    expect([status, stderr]).toEqual([0, ''])
    for (const option of ['board', 'format', 'topic', 'namespace', 'dimension', 'prefix', 'pager', 'outbox'])
      expect(stdout).toContain(`  --${option} `)
  })

  test('prints the alarms alone, notes beside them, and does not wait for what the board’s module keeps open', async () => {
    const file = join(folder, 'alive.ts')
    const exported = `export { board as default } from '${pathToFileURL(BOARD).href}'`
    await writeFile(file, `${exported}\nsetInterval(() => {}, 1_000)\n`)
    const { status, stdout, stderr } = await command('--board', file, '--format', 'cli')
    expect([status, stderr]).toEqual([
      0,
      expect.stringMatching(/^fuseboard-alarms: none for \*\.example\.com: [^\n]+\n$/),
    ])
    expect(stdout).toBe(await alarms('--board', BOARD, '--format', 'cli'))
  })
})
