// Vitest's runner, but that it loads all tests and runs none: serve.test.ts runs them, as often as it is told to.
import { INSTRUMENTER_CONSTANTS } from '@stryker-mutator/api/core'
import { inject, TestRunner, type RunnerTestFile } from 'vitest'

/** What Stryker's instrumented code reads and writes. */
export interface Switchboard {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number | undefined
  hitLimit?: number | undefined
  mutantCoverage?: unknown
}

const shared = globalThis as { [INSTRUMENTER_CONSTANTS.NAMESPACE]?: Switchboard; loaded?: RunnerTestFile[] }

/** One for all that is loaded. */
export const switchboard: Switchboard = (shared[INSTRUMENTER_CONSTANTS.NAMESPACE] ??= {})
/** The files of tests. */
export const loaded: RunnerTestFile[] = (shared.loaded ??= [])

export default class Loader extends TestRunner {
  onBeforeCollect(): void {
    switchboard.activeMutant = inject('start').mutant
  }

  onCollected(files: readonly RunnerTestFile[]): void {
    for (const file of files) {
      if (file.filepath.endsWith('/serve.test.ts')) continue
      file.mode = 'skip'
      loaded.push(file)
    }
  }
}
