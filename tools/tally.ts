// Ends a test run with a plain line that any log reader can count: `15 passed, 0 failed, 1 skipped`.
import type { Reporter, TestModule } from 'vitest/node'

export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tally = { passed: 0, failed: errors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.children.size === 0 && module.state() === 'failed') tally.failed++
      for (const test of module.children.allTests()) tally[test.result().state]++
    }
    process.on('exit', () => console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`))
  }
}
