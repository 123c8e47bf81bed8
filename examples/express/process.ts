// The service as a process of its own, so that it is measured and not who measures: `process.ts <origins, as JSON>`.
import type { Origins } from './policy.ts'
import { run } from './running.ts'

const running = await run(JSON.parse(process.argv[2] ?? '') as Origins, 'operator')
process.send?.(running.places)
// Its parent says when; Ctrl-C reaches both, and is the parent's to act on.
process.once('SIGINT', () => {})
process.once('disconnect', () => void running[Symbol.asyncDispose]())
