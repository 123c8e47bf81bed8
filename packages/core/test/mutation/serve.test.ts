// The thread that has the tests: it loaded them once, and runs those that it is told to, for one change after another.
import { on } from 'node:events'
import { inspect } from 'node:util'
import { BroadcastChannel } from 'node:worker_threads'
import { inject, test, TestRunner, type RunnerTestCase, type RunnerTestSuite } from 'vitest'
import { loaded, switchboard } from './loader.ts'
import type { Order, Outcome, Ready } from './orders.ts'

/** The one test that Vitest knows to be under way, with what others said to do when they are finished. */
interface Host {
  onFinished?: (() => unknown)[]
}

test('what it is told to', { timeout: 0 }, async ({ task }) => {
  const { channel: name, mutant } = inject('start')
  const tests = new Map(loaded.flatMap(({ tasks }) => testsIn(tasks)).map((test) => [idOf(test), test]))
  const broken = loaded.flatMap(({ result }) => result?.errors ?? []).at(0)?.message
  const channel = new BroadcastChannel(name)
  const say = channel.postMessage.bind(channel)
  const orders = on(channel as unknown as EventTarget, 'message')
  const ready: Ready = { tests: [...tests].map(([id, { file }]) => ({ id, fileName: file.filepath })), broken }
  say(ready)
  for await (const [{ data }] of orders as AsyncIterable<[{ data: Order | 'end' }]>) {
    if (data === 'end') break
    say(await carryOut(data, tests, mutant, task as Host))
  }
  channel.close()
})

async function carryOut(
  { tests: wanted, mutant, hitLimit }: Order,
  tests: ReadonlyMap<string, RunnerTestCase>,
  fixed: string | undefined,
  host: Host,
): Promise<Outcome> {
  const ran: Record<string, number> = {}
  const asked = wanted && new Set(wanted)
  const outcome = { ran, failed: undefined, spoilt: false }
  switchboard.hitCount = 0
  switchboard.hitLimit = hitLimit
  for (const [id, test] of tests) {
    if (asked?.has(id) === false) continue
    switchboard.currentTestId = asked || mutant || fixed ? undefined : id
    switchboard.activeMutant = mutant ?? fixed
    const begun = performance.now()
    const message = await failureOf(test, host)
    ran[id] = performance.now() - begun
    switchboard.activeMutant = fixed
    if (message === undefined) continue
    const hits = switchboard.hitCount
    const spoilt = mutant !== undefined && (await failureOf(test, host)) !== undefined
    return { ...outcome, failed: { id, message }, spoilt, hits, coverage: undefined }
  }
  switchboard.currentTestId = undefined
  return { ...outcome, hits: switchboard.hitCount, coverage: switchboard.mutantCoverage }
}

/** Runs a test as Vitest would, with its hooks; what it says where it fails. */
async function failureOf(test: RunnerTestCase, host: Host): Promise<string | undefined> {
  const suites = suitesOf(test).map((suite) => ({ suite, hooks: TestRunner.getSuiteHooks(suite) }))
  let failure: unknown
  const attempt = async (step: () => unknown): Promise<unknown> => {
    try {
      return await step()
    } catch (error) {
      failure ??= error ?? new Error('it threw nothing')
      return undefined
    }
  }

  const after: unknown[] = []
  for (const { suite, hooks } of suites) {
    for (const hook of hooks.beforeEach) after.push(await attempt(() => hook(test.context, suite)))
  }
  if (failure === undefined) await attempt(TestRunner.getTestFn(test))
  for (const { suite, hooks } of suites.toReversed()) {
    for (const hook of hooks.afterEach.toReversed()) await attempt(() => hook(test.context, suite))
  }
  for (const clean of after) if (typeof clean === 'function') await attempt(() => clean())
  for (const finish of host.onFinished?.toReversed() ?? []) await attempt(finish)
  host.onFinished = []
  return failure === undefined ? undefined : inspect(failure)
}

const testsIn = (tasks: RunnerTestSuite['tasks']): RunnerTestCase[] =>
  tasks.flatMap((task) => (task.type === 'suite' ? testsIn(task.tasks) : task.mode === 'skip' ? [] : [task]))

/** From the outermost, which is the file. */
function suitesOf({ suite, file }: RunnerTestCase | RunnerTestSuite): RunnerTestSuite[] {
  return suite === undefined ? [file] : [...suitesOf(suite), suite]
}

const idOf = (test: RunnerTestCase): string => `${test.fullName} (${test.id})`
