// 500 subscriptions through an outage, while the processes that make them are killed at random moments: prints what came of it.
import { trial } from '../../packages/outbox/test/crash/trial.ts'

/** @returns the promises that were broken */
export async function soakOutbox(print: (line: string) => void, seed: number): Promise<readonly string[]> {
  print(
    `\noutbox: 500 subscriptions through an outage, in two processes over one SQLite file, 40 deaths by SIGKILL, seed ${seed}`,
  )
  const tally = await trial({ customers: 500, processes: 2, kills: 40, seed })
  const { kills, made, pending, failed, untold, untoldMade, lost, twice, dead, repeats, unheard } = tally
  print(
    `  ${made} customers were told 201, ${pending} were told 202, ${untold} nothing, since processes were killed ${kills} times`,
  )
  print(
    `  ${unheard} answers got lost, ${repeats} requests the service knew again, ${untoldMade} of the untold have a subscription`,
  )
  print(`  lost ${lost.length}, made twice ${twice.length}, given up ${dead}, told something else ${failed.length}`)
  const promises = {
    'none is lost': lost,
    'none is made twice': twice,
    'all are told': failed,
    'none is given up': [dead].filter(Boolean),
  }
  return Object.entries(promises).flatMap(([promise, broken]) =>
    broken.length === 0 ? [] : [`outbox: ${promise} (${broken.join(', ')})`],
  )
}
