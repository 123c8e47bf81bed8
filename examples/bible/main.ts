// The main job: reads verses through guarded clients while their service is well, limits, fails, hangs, disappears and comes back.
import type { Tell } from './events.ts'
import { rehearseFleet } from './fleet/rehearsal.ts'
import { jsonLines } from './json-lines.ts'
import { HELP, readOptions, USAGE, UsageError, type Options } from './options.ts'
import { live } from './live.ts'
import { rehearse } from './rehearsal.ts'
import { Timeline } from './timeline.ts'

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  let options: Options
  try {
    options = readOptions(args)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`${error.message}\n${USAGE}`)
    return 2
  }
  if (options.help) {
    console.log(HELP)
    return 0
  }

  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  // Whoever reads the output may leave early, as `head` does.
  process.stdout.on('error', () => stop.abort())

  if (options.fleet !== undefined) {
    const { status, says } = await rehearseFleet(options.fleet, (line) => console.log(line), stop.signal)
    console.log(`\n${says}`)
    return status
  }
  const tell = options.json ? jsonLines(process.stdout) : timeline()
  const { status, says } = options.live
    ? await live(options, tell, stop.signal)
    : await rehearse(options, tell, stop.signal)
  tell({ event: 'end', status, says })
  return status
}

function timeline(): Tell {
  const shown = new Timeline(process.stdout)
  return (event) => shown.tell(event)
}
