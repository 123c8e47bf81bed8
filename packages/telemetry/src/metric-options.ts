// How circuits are named in CloudWatch: what the metrics, and the alarms on them, must agree on.
import { checkMethod, checkOptions, show } from './checks.ts'
import { readHosts } from './hosts-option.ts'
import type { OutboxLike } from './outbox.ts'
import { METRICS } from './tally.ts'

/** How circuits are named in CloudWatch. */
export interface MetricOptions {
  /** @default 'CircuitBreakers' */
  namespace?: string
  /** The dimension whose value is the circuit's label, or its key where its policy has none. @default 'Host' */
  dimension?: string
  /**
   * How many hosts are told apart, 1 to 1,000, for CloudWatch bills each: those that the board names, which always are, then those
   * that are told of first; the others are `_other`. @default 100
   */
  hosts?: number
  /** Adds `OutboxDepth` and `OutboxOldestAge` (seconds), which have no dimension. @default none */
  outbox?: OutboxLike
}

/** @internal */
export const NAMESPACE = 'CircuitBreakers'

/** @internal */
export const DIMENSION = 'Host'

/** @internal @throws TypeError or RangeError where an option is wrong */
export function readMetricOptions(
  who: string,
  options: MetricOptions,
  more: readonly string[],
): Required<Omit<MetricOptions, 'outbox'>> {
  checkOptions(who, options, ['namespace', 'dimension', 'hosts', 'outbox', ...more])
  const { namespace = NAMESPACE, dimension = DIMENSION, outbox } = options
  checkNamespace(`${who}.namespace`, namespace)
  checkDimension(`${who}.dimension`, dimension)
  const hosts = readHosts(who, options.hosts)
  if (outbox !== undefined) checkMethod(`${who}.outbox`, outbox, 'depth')
  return { namespace, dimension, hosts }
}

/** @internal @throws TypeError where CloudWatch takes no such namespace */
export function checkNamespace(name: string, value: unknown): void {
  const fits = typeof value === 'string' && /^(?!AWS\/)[\w./#][\w.\-/#: ]{0,254}$/.test(value)
  if (!fits) {
    const rule =
      'must be 1 to 255 letters, digits, spaces or . - _ / # :, and begin with none of space, colon, hyphen and AWS/'
    throw new TypeError(`${name} ${rule}, got ${show(value)}`)
  }
}

/** @internal @throws TypeError where CloudWatch takes no such dimension, or a line would have two members of that name */
export function checkDimension(name: string, value: unknown): void {
  const fits = typeof value === 'string' && /^(?!:)[\x21-\x7e]{1,255}$/.test(value)
  if (!fits)
    throw new TypeError(`${name} must be 1 to 255 characters of ASCII, and not begin with a colon, got ${show(value)}`)
  if (['_aws', ...METRICS].includes(value)) throw new TypeError(`${name} must not be ${value}: a metric is called so`)
}
