// All that three instances and time can do to a record, breadth first, up to a depth: the first counterexample is a shortest.
import { OWED, type Breach, type Owed } from './fleet-facts.ts'
import {
  happen,
  instanceKeys,
  isFresh,
  keyOf,
  newWorld,
  type FleetAction,
  type FleetRules,
  type Instance,
  type Reducer,
  type Saying,
  type World,
} from './fleet-world.ts'

/** What may happen, and by what rules. */
export interface FleetScenario {
  readonly name: string
  readonly rules: FleetRules
  /** Done first; the depth counts from there. */
  readonly begin?: readonly FleetAction[]
  readonly says: readonly Saying[]
  readonly wait: readonly number[]
  readonly depth: number
}

/** The shortest way to a property that does not hold. */
interface Counterexample {
  readonly property: Owed
  readonly line: string
}

interface Found {
  readonly states: number
  readonly steps: number
  readonly counterexample: Counterexample | undefined
}

interface Node {
  readonly world: World
  readonly action?: FleetAction
  readonly from?: Node
}

const INSTANCES = 3

/** Searches breadth first. */
export function searchFleet(step: Reducer, scenario: FleetScenario): Found {
  const { rules, begin = [], depth } = scenario
  let level: Node[] = [{ world: newWorld(INSTANCES) }]
  const known = new Set<string>()
  let steps = 0
  for (let done = 0; done < begin.length + depth && level.length > 0; done++) {
    const next: Node[] = []
    const first = begin.slice(done, done + 1)
    for (const node of level) {
      const queue = first.length > 0 ? [...first] : actionsOf(node.world, scenario)
      for (const action of queue) {
        steps++
        const world = attempt(node.world, action, step, rules)
        const here = { action, from: node }
        if ('property' in world) return { states: known.size, steps, counterexample: tell(here, world) }
        // Only the answer to a write that came through can be lost.
        if (action.do === 'say' && !action.lost && first.length === 0 && world.version > node.world.version)
          queue.push({ ...action, lost: true })
        if (world === node.world) continue
        const key = keyOf(world, rules)
        if (known.has(key)) continue
        known.add(key)
        next.push({ world, ...here })
      }
    }
    level = next
  }
  return { states: known.size, steps, counterexample: undefined }
}

function attempt(world: World, action: FleetAction, step: Reducer, rules: FleetRules): World | Breach {
  try {
    return happen(world, action, step, rules)
  } catch (error) {
    return { property: 'throws', why: String(error) }
  }
}

function actionsOf(world: World, { says, wait, rules }: FleetScenario): FleetAction[] {
  const actions: FleetAction[] = wait.map((ms) => ({ do: 'wait', ms }))
  const keys = instanceKeys(world)
  world.instances.forEach((instance, of) => {
    if (keys.indexOf(keys[of] as string) < of) return
    const { view, probe } = instance
    const upToDate = view !== undefined && view.version === world.version && view.age === 0 && view.now === world.now
    if (!upToDate) actions.push({ do: 'read', of })
    if (view !== undefined) for (const ms of rules.steps) actions.push({ do: 'step', of, ms })
    if (probe !== undefined) actions.push({ do: 'die', of })
    for (const what of says) {
      if (!canSay(instance, world, what)) continue
      if (isFresh(instance)) actions.push({ do: 'say', of, what, looks: false, lost: false })
      if (!upToDate) actions.push({ do: 'say', of, what, looks: true, lost: false })
    }
  })
  return actions
}

// What was said and not answered is said again, and nothing else.
function canSay({ probe, hold }: Instance, { record }: World, what: Saying): boolean {
  switch (what) {
    case 'lease':
      return probe === undefined || probe.stage === 'asked'
    case 'good':
    case 'bad':
    case 'nothing':
      return probe?.stage === 'had' || probe?.stage === what
    case 'stray':
      return probe === undefined
    case 'old trip':
      return record.epoch > 0
    case 'hold':
      return (hold === 'none' && record.holds.length < 2) || hold === 'putting'
    case 'release':
      return hold === 'on' || hold === 'releasing'
    case 'trip':
    case 'open':
    case 'reset':
      return true
  }
}

function tell(last: Required<Pick<Node, 'action' | 'from'>>, { property, why }: Breach): Counterexample {
  const actions: string[] = []
  for (let node: Pick<Node, 'action' | 'from'> | undefined = last; node?.action !== undefined; node = node.from)
    actions.unshift(spell(node.action))
  return { property, line: `${actions.join(', ')}: ${why} (${OWED[property]})` }
}

function spell(action: FleetAction): string {
  if (action.do === 'wait') return `wait ${action.ms} ms`
  const who = `#${action.of + 1}`
  switch (action.do) {
    case 'read':
      return `${who} reads`
    case 'die':
      return `${who} dies`
    case 'step':
      return `the clock of ${who} steps ${action.ms} ms`
    case 'say':
      return `${who}${action.looks ? ' reads and' : ''} says ${action.what}${action.lost ? ' and hears nothing' : ''}`
  }
}
