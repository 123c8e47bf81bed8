// Subscriptions that wait: customers subscribe while PayPal, a local one, fails, loses answers, stays away and comes back.
import { enter } from '../entry.ts'
import { HELP, readOptions, USAGE } from './options.ts'
import { rehearse } from './rehearsal.ts'
import { Screen } from './screen.ts'

await enter({ usage: USAGE, help: HELP, readOptions }, async (options, stop) => {
  const screen = new Screen(process.stdout)
  const { status, says } = await rehearse(options, (event) => screen.tell(event), stop)
  screen.tell({ event: 'end', status, says })
  return status
})
