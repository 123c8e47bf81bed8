// The process that measures one section: what it is asked for comes as its argument, and the figures go to the process that forked it.
import type { Section, Task } from './fresh.ts'
import type { Figure } from './targets.ts'

const MEASURES: Record<Section, (task: Task) => Promise<Figure[]>> = {
  bytes: async () => (await import('./calls.ts')).bytes(),
  memory: async ({ fleet }) => (await import('./memory.ts')).memory(fleet!),
  clock: async ({ rounds }) => (await import('./calls.ts')).clock(rounds),
  closed: async ({ rounds }) => (await import('./calls.ts')).closedCall(rounds),
  failing: async ({ rounds }) => (await import('./calls.ts')).failingCall(rounds),
  refused: async ({ rounds }) => (await import('./calls.ts')).refusal(rounds),
  outage: async () => (await import('./outage.ts')).outage(),
  undici: async ({ rounds }) => (await import('./clients.ts')).undici(rounds),
  clients: async ({ rounds }) => (await import('./clients.ts')).others(rounds),
  replies: async ({ rounds, exact }) => {
    const { bytes, times } = await import('./replies.ts')
    return exact ? bytes() : times(rounds)
  },
  telemetry: async ({ rounds }) => (await import('./telemetry.ts')).telemetry(rounds),
}

const task = JSON.parse(process.argv[2]!) as Task
const figures = await MEASURES[task.section](task)
// The timers of 100,000 breakers would keep this process busy.
process.send!(figures, () => process.exit())
