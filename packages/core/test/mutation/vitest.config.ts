// How tests look at mutants: quickly, and each time with the same random cases.
import { basename } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'
import all from '../../../../vitest.config.ts'
import { SUBJECTS } from './subjects.ts'

const tests = SUBJECTS[process.env['FUSEBOARD_MUTATED'] ?? '']?.tests ?? []

// The tests of a change run until one fails, so those go first that are most likely to; the last file is what runs them.
const rank = ({ moduleId }: TestSpecification): number => [...tests, 'serve'].indexOf(basename(moduleId, '.test.ts'))

export default defineConfig({
  plugins: all.plugins ?? [],
  test: {
    include: [...tests.map((test) => `packages/core/src/${test}.test.ts`), 'packages/core/test/mutation/serve.test.ts'],
    setupFiles: ['packages/core/test/mutation/seed.ts'],
    runner: 'packages/core/test/mutation/loader.ts',
    isolate: false,
    sequence: {
      sequencer: class extends BaseSequencer {
        override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
          return Promise.resolve(files.toSorted((one, other) => rank(one) - rank(other)))
        }
      },
    },
    testTimeout: 20_000,
  },
})
