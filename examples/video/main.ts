// Videos that resume: large downloads through got, undici and a child process while their server breaks off, stalls, goes away and comes back.
import { HELP, readOptions, USAGE, UsageError, type Options } from './options.ts'
import { rehearse } from './rehearsal.ts'
import { Screen } from './screen.ts'

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

  const screen = new Screen(process.stdout)
  const { status, says } = await rehearse(options, (event) => screen.tell(event), stop.signal)
  screen.tell({ event: 'end', status, says })
  return status
}
