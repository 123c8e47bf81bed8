// The table of alarms as a script for the AWS CLI, a template for CloudFormation, or a function for the CDK.
import { digest, type Alarm } from './alarms.ts'

/** @internal */
export const FORMATS: Readonly<Record<'cli' | 'cfn' | 'cdk', (alarms: readonly Alarm[]) => string>> = { cli, cfn, cdk }

function cli(alarms: readonly Alarm[]): string {
  return ['set -e', ...alarms.map(command), ''].join('\n')
}

function command(alarm: Alarm): string {
  const options = Object.entries(alarm).map(([name, value]) => `--${kebab(name)} ${argument(value)}`)
  return ['aws cloudwatch put-metric-alarm', ...options].join(' \\\n  ')
}

function argument(value: string | number | readonly (string | Pair)[]): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number') return `${value}`
  // The CLI's own short form knows commas, quotes and brackets: what has any of them goes as JSON.
  const plain = value.flatMap((one) => (typeof one === 'string' ? one : [one.Name, one.Value])).every(isPlain)
  if (!plain) return quote(JSON.stringify(value))
  return value.map((one) => (typeof one === 'string' ? one : `Name=${one.Name},Value=${one.Value}`)).join(' ')
}

interface Pair {
  readonly Name: string
  readonly Value: string
}

/** For a POSIX shell: in single quotes everything stands for itself. */
const quote = (text: string): string => (isPlain(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`)

const isPlain = (text: string): boolean => /^[\w./:@-]+$/.test(text)

/** OKActions: ok-actions. */
const kebab = (name: string): string =>
  name
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1-$2')
    .toLowerCase()

function cfn(alarms: readonly Alarm[]): string {
  const Resources = Object.fromEntries(
    alarms.map((alarm) => [idOf(alarm), { Type: 'AWS::CloudWatch::Alarm', Properties: alarm }]),
  )
  return `${JSON.stringify({ AWSTemplateFormatVersion: '2010-09-09', Resources }, undefined, 2)}\n`
}

function cdk(alarms: readonly Alarm[]): string {
  return [
    "import { CfnAlarm } from 'aws-cdk-lib/aws-cloudwatch'",
    "import type { Construct } from 'constructs'",
    '',
    'export function fuseboardAlarms(scope: Construct): void {',
    ...alarms.map((alarm) => `  new CfnAlarm(scope, '${idOf(alarm)}', ${indent(literal(alarm))})`),
    '}',
    '',
  ].join('\n')
}

/** JSON is TypeScript; only the names of members are written as the CDK writes them. */
const literal = (alarm: Alarm): string =>
  JSON.stringify(camelled(alarm), undefined, 2).replaceAll(/^( +)"(\w+)":/gm, '$1$2:')

const indent = (text: string): string => text.replaceAll('\n', '\n  ')

function camelled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [camel(name), camelled(inner)]))
}

/** OKActions: okActions. */
const camel = (name: string): string =>
  name.replace(/^[A-Z]+(?=[A-Z][a-z])|^[A-Z]/, (capitals) => capitals.toLowerCase())

/** A logical id: letters and digits only, the same in every run, and of one alarm only. */
function idOf({ AlarmName: name }: Alarm): string {
  const id = name.replaceAll(/(?:^|[^a-z\d]+)([a-z\d]?)/gi, (_all, first: string) => first.toUpperCase())
  return /^[a-z]+(?:-[a-z]+)*$/.test(name) ? id : `${id.slice(0, 200)}${digest(name)}`
}
