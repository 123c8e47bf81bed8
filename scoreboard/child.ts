// A program whose work is done once its circuit has opened, for an hour. It says whether it did, and what it would wait for.
import { ENTRANTS } from './entrants.ts'

const entrant = ENTRANTS.find(({ name }) => name === process.argv[2])
const breaker = entrant?.breaker({ openFor: 3_600_000 })
for (let i = 0; i < 6; i++) await breaker?.call(async () => Promise.reject(new Error('down'))).catch(() => {})
let sent = false
await breaker?.call(async () => (sent = true)).catch(() => {})
const open = breaker !== undefined && !sent
// Only those are listed that keep a process running.
const waits = process.getActiveResourcesInfo().includes('Timeout')
process.stdout.write(JSON.stringify({ open, waits }), () => process.exit())
