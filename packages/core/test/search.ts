// Every way to use a circuit, breadth first, up to a depth: the first counterexample is a shortest one.
import type { Policy, Rules } from '../src/policy.ts'
import { Subject, type Action, type Asking, type Ending, type Engine } from './engine.ts'
import { follow, keyOf, newLedger, probesOf, PROPERTIES, type Breach, type Ledger, type Property } from './ledger.ts'

/** What a search may do, and to what. */
export interface Scenario {
  readonly name: string
  readonly policy: Policy
  /** Done first; the depth counts from there. */
  readonly begin?: readonly Action[]
  readonly admit: readonly Asking[]
  readonly settle: readonly Ending[]
  readonly wait: readonly number[]
  readonly hands?: readonly ('amend' | 'isolate' | 'bypass' | 'trip' | 'reset')[]
  /** For how long `trip(for)` opens. */
  readonly tripFor?: number
  readonly depth: number
  /** How many calls at most are under way. @default 3 */
  readonly most?: number
}

/** The shortest way to a property that does not hold. */
interface Counterexample {
  readonly property: Property
  readonly line: string
}

interface Found {
  readonly states: number
  readonly steps: number
  readonly counterexample: Counterexample | undefined
}

interface Node {
  readonly ledger: Ledger
  readonly actions: readonly Action[]
}

/** Searches breadth first. */
export function search(engine: Engine, scenario: Scenario): Found {
  const { begin = [], depth, policy } = scenario
  const steps = new Steps(engine, policy)
  let level: Node[] = [{ ledger: newLedger(steps.begin().now), actions: [] }]
  const known = new Set<string>()
  // What is done first, and then all that may be done.
  for (let done = 0; done < begin.length + depth && level.length > 0; done++) {
    const next: Node[] = []
    const first = begin.slice(done, done + 1)
    for (const node of level) {
      for (const action of first.length > 0 ? first : actionsOf(node.ledger, scenario)) {
        const step = steps.take(node, action)
        if ('property' in step) return { states: known.size, steps: steps.taken, counterexample: step }
        const key = keyOf(step.ledger, steps.rules)
        if (known.has(key)) continue
        known.add(key)
        next.push(step)
      }
    }
    level = next
  }
  return { states: known.size, steps: steps.taken, counterexample: undefined }
}

class Steps {
  taken = 0
  readonly rules: Rules
  readonly #engine: Engine
  readonly #policy: Policy

  constructor(engine: Engine, policy: Policy) {
    this.#engine = engine
    this.#policy = policy
    this.rules = this.begin().circuit.rules
  }

  begin(): Subject {
    return new Subject(this.#engine, this.#policy)
  }

  // A circuit cannot be copied, so each step replays the way to it on a new one.
  take(node: Node, action: Action): Node | Counterexample {
    this.taken++
    const actions = [...node.actions, action]
    const found = ({ property, why }: Breach): Counterexample => ({
      property,
      line: `${actions.map(spell).join(', ')}: ${why} (${PROPERTIES[property]})`,
    })
    try {
      const subject = this.begin()
      for (const earlier of node.actions) subject.act(earlier)
      subject.told.length = 0
      const ledger = this.#judge(subject, node.ledger, action)
      return 'property' in ledger ? found(ledger) : { ledger, actions }
    } catch (error) {
      return found({ property: 'throws', why: String(error) })
    }
  }

  #judge(subject: Subject, before: Ledger, action: Action): Ledger | Breach {
    const token = subject.act(action)
    const refusal = token < 0 ? subject.refusal(token) : undefined
    const { told, warnings } = subject
    if (warnings.length > 0) return { property: 'throws', why: warnings.join() }
    const { reason, retryAfterMs } = refusal ?? {}
    const witness = { after: subject.look(), told, admitted: token >= 0, reason, retryAfterMs }
    const ledger = follow(before, action, witness, this.rules)
    if ('property' in ledger || refusal === undefined) return ledger
    return this.#insists(subject, action, ledger, refusal) ?? ledger
  }

  // After the wait that a refusal names it must not be given again for the same reason; the subject is used up by this.
  #insists(
    subject: Subject,
    action: Action,
    ledger: Ledger,
    { reason, retryAfterMs }: ReturnType<Subject['refusal']>,
  ): Breach | undefined {
    if (reason === 'isolated' ? retryAfterMs !== undefined : !(retryAfterMs !== undefined && retryAfterMs > 0))
      return { property: 'retryAfter', why: `${reason}, retry after ${retryAfterMs} ms` }
    // Probes under way may take longer than the second that is given for them at most.
    const full = reason === 'probing' && probesOf(ledger, this.rules) >= this.rules.permits
    if (retryAfterMs === undefined || full) return undefined
    subject.act({ do: 'wait', ms: retryAfterMs })
    const token = subject.act(action)
    if (token >= 0 || subject.refusal(token).reason !== reason) return undefined
    return { property: 'retryAfter', why: `after the ${retryAfterMs} ms that it named it is ${reason} still` }
  }
}

function actionsOf(ledger: Ledger, scenario: Scenario): Action[] {
  const { out, good, holds } = ledger
  const { admit, settle, wait, hands = [], tripFor, most = 3 } = scenario
  const actions: Action[] = []
  if (out.length < most) for (const as of admit) actions.push({ do: 'admit', as })
  for (const { call } of alike(out, ({ at, era, probe, safe }) => [at, era, probe, safe].join()))
    for (const as of settle) actions.push({ do: 'settle', call, as })
  if (hands.includes('amend')) for (const { call } of good) actions.push({ do: 'amend', call })
  for (const ms of wait) actions.push({ do: 'wait', ms })
  for (const { hold } of alike(holds, ({ kind, live }) => [kind, live].join())) actions.push({ do: 'release', hold })
  const live = holds.filter((hold) => hold.live).length
  for (const hand of hands) {
    if (hand === 'trip' || hand === 'reset') actions.push({ do: hand })
    if ((hand === 'isolate' || hand === 'bypass') && live < 2) actions.push({ do: hand })
  }
  if (tripFor !== undefined) actions.push({ do: 'trip for', ms: tripFor })
  return actions
}

const alike = <T>(list: readonly T[], kindOf: (one: T) => string): T[] => [
  ...new Map(list.map((one) => [kindOf(one), one])).values(),
]

function spell(action: Action): string {
  switch (action.do) {
    case 'admit':
      return action.as === 'task' ? 'admit' : `admit ${action.as}`
    case 'settle':
      return `#${action.call + 1} ${action.as}`
    case 'amend':
      return `amend #${action.call + 1}`
    case 'wait':
    case 'trip for':
      return `${action.do} ${action.ms} ms`
    case 'release':
      return `release hold ${action.hold + 1}`
    case 'isolate':
    case 'bypass':
    case 'trip':
    case 'reset':
      return action.do
  }
}
