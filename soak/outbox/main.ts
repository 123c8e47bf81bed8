// 500 subscriptions through an outage, while the processes that make them are killed at random moments: prints what came of it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { trial, type Plan, type Tally } from '../../packages/outbox/test/crash/trial.ts'
import { dynamoServer, TABLE } from '../../packages/outbox/test/dynamo-server.ts'
import { sqsServer } from '../../packages/outbox/test/sqs-server.ts'
import { hasRedis, redisServer } from '../../packages/stores/test/redis-server.ts'

type Print = (line: string) => void

/** @returns the promises that were broken */
export async function soakOutbox(print: Print, seed: number): Promise<readonly string[]> {
  const plan = { customers: 500, processes: 2, kills: 40, seed }
  const broken = [...(await soak(print, 'one SQLite file', plan))]
  broken.push(...(await inDynamo((place) => soak(print, 'DynamoDB, by dynalite', { ...plan, place }))))
  broken.push(...(await inSqs((place) => soak(print, 'SQS, by a small one of our own', { ...plan, place }))))
  if (!hasRedis) return broken
  broken.push(...(await inRedis((place) => soak(print, 'BullMQ in one Redis', { ...plan, place }))))
  broken.push(...(await whileRedisDies(print, { ...plan, customers: 250, kills: 20 })))
  return broken
}

async function inDynamo<T>(use: (place: string) => Promise<T>): Promise<T> {
  await using server = await dynamoServer()
  return await use(`dynamodb://${server.host}/${TABLE}`)
}

async function inSqs<T>(use: (place: string) => Promise<T>): Promise<T> {
  await using server = await sqsServer()
  return await use(`sqs://${server.host}`)
}

async function inRedis<T>(use: (place: string) => Promise<T>): Promise<T> {
  await using server = await redisServer()
  return await use(`redis://127.0.0.1:${server.port}`)
}

/** Redis keeps each write before it answers, and is killed at each death of a process. */
async function whileRedisDies(print: Print, plan: Plan): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fuseboard-redis-'))
  // Its rewriting of the log is by a child, which would live on.
  const kept = ['--appendonly', 'yes', '--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0']
  const more = [...kept, '--dir', folder]
  let server = await redisServer({ more })
  const { port } = server
  const strike = async (): Promise<void> => {
    await server[Symbol.asyncDispose]()
    server = await redisServer({ again: port, more })
  }
  try {
    const where = 'BullMQ in one Redis that is killed as often'
    // While Redis is down nothing can wait, and customers hear so.
    return await soak(print, where, { ...plan, place: `redis://127.0.0.1:${port}`, strike }, ['all are told'])
  } finally {
    await server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  }
}

async function soak(
  print: Print,
  where: string,
  plan: Plan,
  given: readonly string[] = [],
): Promise<readonly string[]> {
  const { customers, kills, seed } = plan
  print(
    `\noutbox: ${customers} subscriptions through an outage, in two processes over ${where}, ${kills} deaths by SIGKILL, seed ${seed}`,
  )
  const tally = await trial(plan)
  show(print, tally)
  const promises = {
    'none is lost': tally.lost,
    'none is made twice': tally.twice,
    'all are told': tally.failed,
    'none is given up': [tally.dead].filter(Boolean),
  }
  return Object.entries(promises).flatMap(([promise, broken]) =>
    broken.length === 0 || given.includes(promise) ? [] : [`outbox in ${where}: ${promise} (${broken.join(', ')})`],
  )
}

function show(print: Print, tally: Tally): void {
  const { kills, made, pending, failed, untold, untoldMade, lost, twice, dead, repeats, unheard } = tally
  print(
    `  ${made} customers were told 201, ${pending} were told 202, ${untold} nothing, since processes were killed ${kills} times`,
  )
  print(
    `  ${unheard} answers got lost, ${repeats} requests the service knew again, ${untoldMade} of the untold have a subscription`,
  )
  print(`  lost ${lost.length}, made twice ${twice.length}, given up ${dead}, told something else ${failed.length}`)
}
