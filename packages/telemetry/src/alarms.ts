// The alarms of a board, as one table: every format is written from it.
import { createHash } from 'node:crypto'
import type { Board } from '@fuseboard/core'
import { nameOf } from './tally.ts'

/** @internal One alarm, in the words of `AWS::CloudWatch::Alarm`. */
export interface Alarm {
  readonly AlarmName: string
  readonly AlarmDescription: string
  readonly Namespace: string
  readonly MetricName: string
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[]
  readonly Statistic: 'Maximum'
  readonly Period: number
  readonly EvaluationPeriods: number
  readonly DatapointsToAlarm: number
  readonly Threshold: number
  readonly ComparisonOperator: 'GreaterThanOrEqualToThreshold'
  readonly TreatMissingData: 'notBreaching'
  readonly AlarmActions?: readonly string[]
  readonly OKActions?: readonly string[]
}

/** @internal What is asked for on the command line. */
export interface AlarmOptions {
  readonly namespace: string
  readonly dimension: string
  /** What all names begin with. */
  readonly prefix: string
  /** The ARN that is told of both, alarm and recovery. */
  readonly topic: string | undefined
  /** Only what lasts: two minutes of three. */
  readonly pager: boolean
  /** Seconds that the oldest request in the outbox may wait. */
  readonly outbox: number | undefined
}

/** @internal The alarms, and the hosts that can have none. */
export interface AlarmTable {
  readonly alarms: readonly Alarm[]
  readonly unnamed: readonly string[]
}

/** @internal An alarm for each name that circuits have: of hosts in the board's options, and of what is guarded by name. */
export function alarmsOf(board: Board, options: AlarmOptions): AlarmTable {
  const hosts = board.hosts()
  const labels = [...hosts.map(({ label }) => label), ...[...board.circuits()].map(({ label }) => label)]
  const names = new Set(labels.filter((label) => label !== undefined).map(nameOf))
  const alarms = [...names].map((name) => circuitAlarm(name, options))
  if (options.outbox !== undefined) alarms.push(outboxAlarm(options.outbox, options))
  return { alarms, unnamed: hosts.filter(({ label }) => label === undefined).map(({ name }) => name) }
}

function circuitAlarm(name: string, options: AlarmOptions): Alarm {
  return {
    AlarmName: `${options.prefix}${plain(name)}-circuit-open`,
    AlarmDescription: `The circuit of ${name} is open: its calls are refused, and not sent`,
    Namespace: options.namespace,
    MetricName: 'CircuitBreakerState',
    Dimensions: [{ Name: options.dimension, Value: name }],
    ...judged(1, options),
  }
}

function outboxAlarm(seconds: number, options: AlarmOptions): Alarm {
  return {
    AlarmName: `${options.prefix}outbox-oldest-age`,
    AlarmDescription: `A request has been waiting in the outbox for ${seconds} seconds`,
    Namespace: options.namespace,
    MetricName: 'OutboxOldestAge',
    ...judged(seconds, options),
  }
}

// Each instance tells its own state: the largest is that of the fleet, where a sum would count instances.
function judged(threshold: number, { pager, topic }: AlarmOptions) {
  return {
    Statistic: 'Maximum',
    Period: 60,
    EvaluationPeriods: pager ? 3 : 1,
    DatapointsToAlarm: pager ? 2 : 1,
    Threshold: threshold,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    // A service without calls tells nothing, and nothing is wrong with it.
    TreatMissingData: 'notBreaching',
    ...(topic === undefined ? {} : { AlarmActions: [topic], OKActions: [topic] }),
  } as const satisfies Partial<Alarm>
}

// What a shell, the CLI (`file://`) or a template could take for something else is replaced, and told apart by a digest.
function plain(name: string): string {
  if (/^[a-z\d](?:[\w.-]{0,198}\w)?$/i.test(name)) return name
  const tame = name.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^[-.]+|[-.]+$/g, '')
  return [tame.slice(0, 180), digest(name)].filter((part) => part !== '').join('-')
}

/** @internal A few letters that tell a text apart. */
export const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)
