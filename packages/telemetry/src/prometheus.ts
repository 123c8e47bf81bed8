// Circuits in Prometheus: as text for a page of your own, or in a registry of prom-client.
import type { Board } from '@fuseboard/core'
import { checkBoard, checkMethod, checkOptions, show } from './checks.ts'
import { familiesOf, type Family } from './families.ts'
import { readHosts } from './hosts-option.ts'
import { ledgerOf, type Attributes } from './ledger.ts'
import { ATTRIBUTES, METRICS, type Metric } from './names.ts'
import { stopOf, type Stop } from './stop.ts'

export type { Stop } from './stop.ts'

/** How the metrics are named, and how many. */
export interface PrometheusOptions {
  /** What stands before each name, which begins with `fuseboard_` already. @default '' */
  prefix?: string
  /** How many hosts are told apart, 1 to 1,000; the others are `_other`. @default 100 */
  hosts?: number
}

/** The Content-Type that {@link prometheusText} is served with. */
export const contentType = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * The metrics of a board in Prometheus's text format 0.0.4. Transitions, fallbacks and faults of stores are counted from the first
 * call on, all else since the board was made.
 *
 * @example
 * response.setHeader('content-type', contentType)
 * response.end(prometheusText(board))
 * @throws TypeError or RangeError where the board or an option is wrong
 */
export function prometheusText(board: Board, options: PrometheusOptions = {}): string {
  checkBoard('prometheusText', board)
  checkOptions('prometheusText', options, ['prefix', 'hosts'])
  const prefix = readPrefix('prometheusText', options.prefix)
  const families = familiesOf(board, readHosts('prometheusText', options.hosts))
  return families.map((family) => textOf(prefix, family)).join('')
}

/** What is needed of prom-client. */
export interface PromClientLike<Register> {
  readonly register: Register
  readonly Counter: new (about: PromMetric<Register>) => {
    reset(): void
    inc(labels: Record<string, string | number>, value: number): unknown
  }
  readonly Gauge: new (about: PromMetric<Register>) => {
    reset(): void
    set(labels: Record<string, string | number>, value: number): unknown
  }
}

/** How a metric is made in prom-client. */
export interface PromMetric<Register> {
  name: string
  help: string
  labelNames: string[]
  registers: Register[]
  collect(): void
}

/** What is needed of a registry of prom-client. */
export interface RegisterLike {
  removeSingleMetric(name: string): void
}

/** Which prom-client, and which of its registries. */
export interface PromClientOptions<Register extends RegisterLike> extends PrometheusOptions {
  /** prom-client itself. */
  client: PromClientLike<Register>
  /** @default client.register */
  register?: Register
}

/**
 * Registers the metrics of a board in a registry of prom-client: they are read when it is scraped.
 *
 * @returns what takes them out again, and nothing else
 * @example
 * import client from 'prom-client'
 * const stop = promClient(board, { client, register: client.register })
 * @throws TypeError or RangeError where the board or an option is wrong; what prom-client throws where a name is taken
 */
export function promClient<Register extends RegisterLike>(board: Board, options: PromClientOptions<Register>): Stop {
  checkBoard('promClient', board)
  checkOptions('promClient', options, ['client', 'register', 'prefix', 'hosts'])
  const { client, register = client?.register } = options
  checkMethod('promClient.client', client, 'Counter')
  checkMethod('promClient.client', client, 'Gauge')
  checkMethod('promClient.register', register, 'removeSingleMetric')
  const prefix = readPrefix('promClient', options.prefix)
  const hosts = readHosts('promClient', options.hosts)

  const read = oncePerTurn(() => familiesOf(board, hosts))
  const names: string[] = []
  const stop = stopOf(() => {
    for (const name of names) register.removeSingleMetric(name)
  })
  try {
    for (const metric of Object.values(METRICS)) {
      names.push(addMetric(client, register, prefix, metric, read))
    }
  } catch (error) {
    stop()
    throw error
  }
  ledgerOf(board)
  return stop
}

// The registry asks each metric in turn, all in one go: they show the same moment.
function oncePerTurn(read: () => readonly Family[]): () => readonly Family[] {
  let latest: readonly Family[] | undefined
  return () => {
    if (latest === undefined) queueMicrotask(() => (latest = undefined))
    return (latest ??= read())
  }
}

function addMetric<Register>(
  client: PromClientLike<Register>,
  register: Register,
  prefix: string,
  metric: Metric,
  read: () => readonly Family[],
): string {
  const name = prefix + nameOf(metric)
  const samples = () =>
    (read().find((family) => family.metric === metric) as Family).samples.map(
      ({ value, attributes }) => [labelsOf(attributes), value] as const,
    )
  const about = { name, help: metric.help, labelNames: LABELS, registers: [register] }
  if (metric.kind === 'gauge') {
    const gauge = new client.Gauge({
      ...about,
      collect() {
        gauge.reset()
        for (const [labels, value] of samples()) gauge.set(labels, value)
      },
    })
    return name
  }
  const counter = new client.Counter({
    ...about,
    collect() {
      // It can only be counted up, so each time from nothing.
      counter.reset()
      for (const [labels, value] of samples()) counter.inc(labels, value)
    },
  })
  return name
}

/** As OpenTelemetry's Collector translates them, so that one dashboard does for both. */
function nameOf({ name, kind, unit }: Metric): string {
  const suffix = (unit === 's' ? '_seconds' : unit === '1' ? '_ratio' : '') + (kind === 'counter' ? '_total' : '')
  return name.replaceAll('.', '_') + suffix
}

const labelOf = (attribute: string): string => attribute.replaceAll('.', '_')

const LABELS = Object.values(ATTRIBUTES).map((attribute) => labelOf(attribute))

const labelsOf = (attributes: Attributes): Record<string, string | number> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [labelOf(name), value]))

function textOf(prefix: string, { metric, samples }: Family): string {
  const name = prefix + nameOf(metric)
  let text = `# HELP ${name} ${metric.help}\n# TYPE ${name} ${metric.kind}\n`
  for (const { value, attributes } of samples) text += `${name}{${labelTextOf(attributes)}} ${value}\n`
  return text
}

// They are the same objects at each scrape, and their text is most of its work.
const labelTexts = new WeakMap<Attributes, string>()

function labelTextOf(attributes: Attributes): string {
  const known = labelTexts.get(attributes)
  if (known !== undefined) return known
  const labels = Object.entries(attributes).map(([name, value]) => `${labelOf(name)}="${escaped(String(value))}"`)
  const text = labels.join(',')
  labelTexts.set(attributes, text)
  return text
}

const escaped = (text: string): string =>
  text
    .replaceAll('\\', '\\\\')
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)

function readPrefix(who: string, prefix: unknown = ''): string {
  if (typeof prefix === 'string' && /^([a-z_:][\w:]*)?$/i.test(prefix)) return prefix
  throw new TypeError(`${who}.prefix must be letters, digits, underscores or colons, got ${show(prefix)}`)
}
