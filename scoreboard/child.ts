// A program whose work is done once its circuit has opened, for an hour. Who looks on sees whether it ends.
import { ENTRANTS } from './entrants.ts'

const entrant = ENTRANTS.find(({ name }) => name === process.argv[2])
const breaker = entrant?.breaker({ openFor: 3_600_000 })
for (let i = 0; i < 6; i++) await breaker?.call(async () => Promise.reject(new Error('down'))).catch(() => {})
let sent = false
await breaker?.call(async () => (sent = true)).catch(() => {})
process.stdout.write(breaker === undefined || sent ? 'closed' : 'open')
