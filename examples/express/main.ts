// A service in express that asks three hosts: to try by hand, or with --load to be measured while one of them is dead.
import { once } from 'node:events'
import { enter } from '../entry.ts'
import { Host } from './host.ts'
import { compare } from './compare.ts'
import { HELP, readOptions, USAGE } from './options.ts'
import { NAMES } from './policy.ts'
import { run } from './running.ts'

await enter({ usage: USAGE, help: HELP, readOptions }, async (options, stop) =>
  options.load ? compare(options, process.stdout, stop) : serve(stop),
)

async function serve(stop: AbortSignal): Promise<number> {
  const hosts = await Promise.all(NAMES.map((name) => Host.listen(name)))
  const [verses, plans, videos] = hosts.map(({ origin }) => origin) as [string, string, string]
  await using running = await run({ verses, plans, videos }, 'operator')
  const { service, operations } = running.places
  console.log(`A service that asks three hosts. Try:

  curl -i ${service}/verses/john-3-16
  curl -i ${service}/plans/monthly
  curl -i ${service}/videos/lecture

Kill a host, ask for a video four times, and look: then the others, and bring it back.

  curl -X POST ${videos}/die
  curl ${operations}/ready
  curl ${operations}/metrics
  curl ${operations}/fuseboard/
  curl -X POST ${videos}/recover
  curl -X POST -H 'x-fuseboard: 1' -H 'authorization: Bearer operator' \\
    ${operations}/fuseboard/circuits/${encodeURIComponent(new URL(videos).host)}/reset

Ctrl-C ends it.`)
  running.board.on('transition', ({ message }) => console.log(message))
  if (!stop.aborted) await once(stop, 'abort')
  await Promise.all(hosts.map((host) => host.close()))
  return 130
}
