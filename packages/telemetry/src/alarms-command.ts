// What fuseboard-alarms does with its arguments: the CloudWatch alarms of a board, as text.
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { Board } from '@fuseboard/core'
import { FORMATS } from './alarm-formats.ts'
import { alarmsOf, type AlarmOptions } from './alarms.ts'
import { checkBoard, wordsOf } from './checks.ts'
import { checkDimension, checkNamespace, DIMENSION, NAMESPACE } from './metric-options.ts'

const HELP = `Prints CloudWatch alarms: one for each host that the options of a board name, and for each function that it guards.

  fuseboard-alarms --board ./board.js --format cli --topic arn:aws:sns:eu-central-1:123456789012:admin | sh

  --board <file>      a module whose default export, or the export named board, is the board
  --format <format>   cli: a shell script for the AWS CLI; cfn: a CloudFormation template; cdk: a TypeScript function
  --topic <arn>       told of alarms and of recoveries
  --namespace <text>  as in cloudwatch(board, { namespace }); by default ${NAMESPACE}
  --dimension <text>  as in cloudwatch(board, { dimension }); by default ${DIMENSION}
  --prefix <text>     what the names of the alarms begin with: two services of an account need one each
  --pager             only what lasts: two minutes of three instead of one of one
  --outbox <seconds>  one more, for the age of the oldest request in the outbox
  --help              prints this
`

const OPTIONS = {
  board: { type: 'string' },
  format: { type: 'string' },
  topic: { type: 'string' },
  namespace: { type: 'string', default: NAMESPACE },
  dimension: { type: 'string', default: DIMENSION },
  prefix: { type: 'string', default: '' },
  pager: { type: 'boolean', default: false },
  outbox: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const

/** @internal What is printed, and what is worth a note beside it. */
export interface Printed {
  readonly text: string
  readonly notes: readonly string[]
}

/** @internal @throws Error that says which argument is wrong */
export async function alarmsCommand(args: string[]): Promise<Printed> {
  const { values } = parseArgs({ args, options: OPTIONS })
  if (values.help) return { text: HELP, notes: [] }
  const format = readFormat(values.format)
  const options = readOptions(values)
  const { alarms, unnamed } = alarmsOf(await load(values.board), options)
  if (alarms.length === 0) throw new Error('the board names no host that an alarm could be for')
  const notes = unnamed.map((name) => `none for ${name}: it stands for several circuits; a label makes them one`)
  return { text: format(alarms), notes }
}

function readFormat(format: string | undefined): (typeof FORMATS)[keyof typeof FORMATS] {
  if (format !== undefined && Object.hasOwn(FORMATS, format)) return FORMATS[format as keyof typeof FORMATS]
  throw new TypeError(`--format must be one of ${Object.keys(FORMATS).join(', ')}, got ${format ?? 'none'}`)
}

function readOptions(values: {
  namespace: string
  dimension: string
  prefix: string
  pager: boolean
  topic?: string | undefined
  outbox?: string | undefined
}): AlarmOptions {
  const { namespace, dimension, prefix, pager, topic, outbox } = values
  checkNamespace('--namespace', namespace)
  checkDimension('--dimension', dimension)
  if (!/^(?:[a-z][\w.-]{0,31})?$/i.test(prefix))
    throw new TypeError(`--prefix must be up to 32 letters, digits, dots, hyphens or underscores, got ${prefix}`)
  if (topic !== undefined && !/^arn:[\w:./-]+$/.test(topic)) throw new TypeError(`--topic must be an ARN, got ${topic}`)
  const seconds = outbox === undefined ? undefined : Number(outbox)
  if (seconds !== undefined && !(Number.isInteger(seconds) && seconds > 0))
    throw new RangeError(`--outbox must be a whole number of seconds above 0, got ${outbox}`)
  return { namespace, dimension, prefix, pager, topic, outbox: seconds }
}

async function load(file: string | undefined): Promise<Board> {
  if (file === undefined) throw new TypeError('--board must be the file of a module, got none')
  const module = await importFile(file)
  const board = [module.default, module.board].find((one) => isBoard(one))
  if (board === undefined)
    throw new TypeError(`${file} has no board: neither its default export nor one named board is`)
  return board
}

async function importFile(file: string): Promise<{ default?: unknown; board?: unknown }> {
  try {
    return (await import(pathToFileURL(resolve(file)).href)) as { default?: unknown; board?: unknown }
  } catch (error) {
    throw new Error(`${file} could not be imported: ${wordsOf(error)}`, { cause: error })
  }
}

function isBoard(value: unknown): value is Board {
  try {
    checkBoard('', value)
    return true
  } catch {
    return false
  }
}
