// What takes too long for `test`: the real thing, put under stress for minutes. It talks to 127.0.0.1 only, and stops by itself.
import { parseArgs } from 'node:util'
import { soakFleet } from './fleet/main.ts'

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const broken = await soakFleet((line) => console.log(line), values.only)
console.log(broken.length === 0 ? '\nAll bounds held.' : `\nBroken: ${broken.join('; ')}.`)
process.exitCode = broken.length === 0 ? 0 : 1
