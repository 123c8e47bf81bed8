// The main job: reads verses through guarded clients while their service is well, limits, fails, hangs, disappears and comes back.
import { enter } from '../entry.ts'
import type { Tell } from './events.ts'
import { rehearseFleet } from './fleet/rehearsal.ts'
import { jsonLines } from './json-lines.ts'
import { HELP, readOptions, USAGE } from './options.ts'
import { live } from './live.ts'
import { rehearse } from './rehearsal.ts'
import { Timeline } from './timeline.ts'

await enter({ usage: USAGE, help: HELP, readOptions }, async (options, stop) => {
  if (options.fleet !== undefined) {
    const { status, says } = await rehearseFleet(options.fleet, (line) => console.log(line), stop)
    console.log(`\n${says}`)
    return status
  }
  const tell = options.json ? jsonLines(process.stdout) : timeline()
  const { status, says } = options.live ? await live(options, tell, stop) : await rehearse(options, tell, stop)
  tell({ event: 'end', status, says })
  return status
})

function timeline(): Tell {
  const shown = new Timeline(process.stdout)
  return (event) => shown.tell(event)
}
