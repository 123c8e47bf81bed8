// What takes too long for `test`: the real thing, put under stress for minutes. It talks to 127.0.0.1 only, and stops by itself.
import { parseArgs } from 'node:util'
import { soakFleet } from './fleet/main.ts'
import { soakLambda } from './lambda/main.ts'

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const print = (line: string): void => console.log(line)
const broken: string[] = []
if (values.only !== 'lambda') broken.push(...(await soakFleet(print, values.only)))
if (values.only === undefined || values.only === 'lambda') broken.push(...(await soakLambda(print)))
console.log(broken.length === 0 ? '\nAll bounds held.' : `\nBroken: ${broken.join('; ')}.`)
process.exitCode = broken.length === 0 ? 0 : 1
