// What the metrics and their attributes are called: in this one place, so that they can follow a standard once there is one.

/** @internal What there is to know of a metric but its numbers. */
export interface Metric {
  /** As OpenTelemetry writes it; Prometheus has `_` for `.`, and the unit and `_total` behind it. */
  readonly name: string
  readonly kind: 'counter' | 'gauge'
  /** As OpenTelemetry writes it: what stands in braces is a note. */
  readonly unit: string
  readonly help: string
}

type MetricName =
  | 'state'
  | 'transitions'
  | 'calls'
  | 'slowCalls'
  | 'fallbacks'
  | 'failureRate'
  | 'slowRate'
  | 'openTime'
  | 'timeSaved'
  | 'storeErrors'

/** @internal */
export const METRICS: Readonly<Record<MetricName, Metric>> = {
  state: {
    name: 'fuseboard.circuit.state',
    kind: 'gauge',
    unit: '{circuit}',
    help: 'Which state a circuit is in: 1 for that one, 0 for the others',
  },
  transitions: {
    name: 'fuseboard.circuit.transitions',
    kind: 'counter',
    unit: '{transition}',
    help: 'Changes of state',
  },
  calls: {
    name: 'fuseboard.calls',
    kind: 'counter',
    unit: '{call}',
    help: 'Calls by how they ended; those refused were never sent',
  },
  slowCalls: {
    name: 'fuseboard.slow_calls',
    kind: 'counter',
    unit: '{call}',
    help: 'Calls that took longer than slowAfter; each is among the calls too',
  },
  fallbacks: {
    name: 'fuseboard.fallbacks',
    kind: 'counter',
    unit: '{call}',
    help: 'Replies that stood in',
  },
  failureRate: {
    name: 'fuseboard.failure_rate',
    kind: 'gauge',
    unit: '1',
    help: 'Share of failed calls in the window; absent while there are none',
  },
  slowRate: {
    name: 'fuseboard.slow_rate',
    kind: 'gauge',
    unit: '1',
    help: 'Share of slow calls in the window; absent while there are none',
  },
  openTime: {
    name: 'fuseboard.open.time',
    kind: 'counter',
    unit: 's',
    help: 'Time in which a circuit refused all calls',
  },
  timeSaved: {
    name: 'fuseboard.time_saved',
    kind: 'counter',
    unit: 's',
    help: 'Time that refused calls would have taken to fail, as the latest failures did on average',
  },
  storeErrors: {
    name: 'fuseboard.store.errors',
    kind: 'counter',
    unit: '{error}',
    help: 'Faults of the stores of replies and of the fleet; requests went on without them',
  },
}

/** @internal */
export const ATTRIBUTES = {
  address: 'server.address',
  port: 'server.port',
  label: 'fuseboard.label',
  state: 'fuseboard.circuit.state',
  from: 'fuseboard.from',
  to: 'fuseboard.to',
  reason: 'fuseboard.reason',
  outcome: 'fuseboard.outcome',
  source: 'fuseboard.source',
  action: 'fuseboard.action',
} as const

/** @internal What is put on the active span when a circuit changes its state; the names are those proposed to OpenTelemetry. */
export const SPAN_EVENT = {
  name: 'circuitbreaker.state_change',
  circuit: 'circuitbreaker.name',
  state: 'circuitbreaker.state',
} as const

/** @internal Hosts beyond the most that are shown are shown as this. */
export const OTHER = '_other'
