// A test runner for Stryker: it keeps a thread of Vitest in which all tests are loaded, so that a change costs what its tests take.
import { once } from 'node:events'
import { basename, relative } from 'node:path'
import { BroadcastChannel } from 'node:worker_threads'
import { declareClassPlugin, PluginKind } from '@stryker-mutator/api/plugin'
import {
  determineHitLimitReached,
  DryRunStatus,
  MutantRunStatus,
  TestStatus,
  type DryRunResult,
  type MutantRunOptions,
  type MutantRunResult,
  type TestRunner,
} from '@stryker-mutator/api/test-runner'
import { createVitest, type Vitest } from 'vitest/node'
import type { Order, Outcome, Ready, Start } from './orders.ts'
import { SUBJECTS } from './subjects.ts'

const HERE = relative(process.cwd(), import.meta.dirname)

const REMEMBERING = SUBJECTS[process.env['FUSEBOARD_MUTATED'] ?? '']?.remembering ?? []

/** A thread in which the tests are loaded. */
interface Thread extends Ready {
  readonly ask: (order: Order) => Promise<Outcome>
  readonly end: () => Promise<unknown>
}

class OneThread implements TestRunner {
  #vitest: Vitest | undefined
  #thread: Thread | undefined

  capabilities() {
    return { reloadEnvironment: true }
  }

  async init(): Promise<void> {
    process.env['VITEST'] = 'true'
    this.#vitest = await createVitest('test', {
      config: `${HERE}/vitest.config.ts`,
      watch: false,
      pool: 'threads',
      maxWorkers: 1,
      reporters: [{}],
    })
  }

  async dryRun(): Promise<DryRunResult> {
    const { tests, broken, ask } = await this.#load(undefined)
    if (broken !== undefined) return { status: DryRunStatus.Error, errorMessage: broken }
    const { ran, failed, coverage } = await ask({ tests: undefined, mutant: undefined, hitLimit: undefined })
    return {
      status: DryRunStatus.Complete,
      tests: tests.map(({ id, fileName }) => {
        const test = { id, name: id, fileName, timeSpentMs: ran[id] ?? 0 }
        if (id !== failed?.id) return { ...test, status: TestStatus.Success }
        return { ...test, status: TestStatus.Failed, failureMessage: failed.message }
      }),
      mutantCoverage: coverage as never,
    }
  }

  async mutantRun(options: MutantRunOptions): Promise<MutantRunResult> {
    const { activeMutant, mutantActivation, reloadEnvironment, testFilter: tests, hitLimit } = options
    const fixed = mutantActivation === 'static' ? activeMutant.id : undefined
    if (reloadEnvironment || REMEMBERING.includes(basename(activeMutant.fileName, '.ts'))) await this.#end()
    const thread = this.#thread ?? (await this.#load(fixed))
    if (thread.broken !== undefined) return killed('', thread.broken, 0)
    const order = { tests, mutant: fixed === undefined ? activeMutant.id : undefined, hitLimit }
    let outcome = await thread.ask(order)
    if (outcome.spoilt) {
      await this.#end()
      outcome = await (await this.#load(undefined)).ask(order)
      if (outcome.spoilt) await this.#end()
    }
    const { failed, ran, hits } = outcome
    const nrOfTests = Object.keys(ran).length
    const endless = determineHitLimitReached(hits, hitLimit)
    if (endless !== undefined) return { status: MutantRunStatus.Timeout, reason: endless.reason ?? '' }
    return failed === undefined
      ? { status: MutantRunStatus.Survived, nrOfTests }
      : killed(failed.id, failed.message, nrOfTests)
  }

  async dispose(): Promise<void> {
    await this.#end()
    await this.#vitest?.close()
  }

  async #load(mutant: string | undefined): Promise<Thread> {
    const vitest = this.#vitest as Vitest
    const start: Start = { channel: `mutation ${crypto.randomUUID()}`, mutant }
    const channel = new BroadcastChannel(start.channel)
    const say = channel.postMessage.bind(channel)
    const answer = async <T>(): Promise<T> => {
      const [{ data }] = (await once(channel as unknown as EventTarget, 'message')) as [{ data: T }]
      return data
    }
    vitest.state.filesMap.clear()
    vitest.provide('start', start)
    const ready = answer<Ready>()
    const run = vitest.start()
    const thread = {
      ...(await ready),
      ask: (order: Order) => {
        const outcome = answer<Outcome>()
        say(order)
        return outcome
      },
      end: async () => {
        say('end')
        await run
        channel.close()
      },
    }
    this.#thread = thread
    return thread
  }

  async #end(): Promise<void> {
    await this.#thread?.end()
    this.#thread = undefined
  }
}

const killed = (test: string, failureMessage: string, nrOfTests: number): MutantRunResult => ({
  status: MutantRunStatus.Killed,
  killedBy: test === '' ? [] : [test],
  failureMessage,
  nrOfTests,
})

/** Where Stryker looks for it. */
export const strykerPlugins = [declareClassPlugin(PluginKind.TestRunner, 'one-thread', OneThread)]
