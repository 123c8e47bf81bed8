// A process that is killed in the middle of it all, for `test`: the soak does it with more customers and more deaths.
import { describe, expect, test } from 'vitest'
import { hasRedis, redisServer } from '../../stores/test/redis-server.ts'
import { trial, type Plan } from '../test/crash/trial.ts'
import { dynamoServer, TABLE } from '../test/dynamo-server.ts'
import { sqsServer } from '../test/sqs-server.ts'

describe('through an outage and several deaths no subscription that was answered for is lost, and none is made twice', () => {
  const check = async (plan: Pick<Plan, 'customers' | 'place'>): Promise<void> => {
    const tally = await trial({ ...plan, processes: 2, kills: 4, seed: 7 })
    const { kills, made, pending, failed, untold, lost, twice, dead } = tally
    expect({ failed, lost, twice, dead }).toEqual({ failed: [], lost: [], twice: [], dead: 0 })
    expect(made + pending + untold).toBe(plan.customers)
    // It was an outage, and there were deaths.
    expect(kills).toBeGreaterThanOrEqual(4)
    expect(Math.min(made, pending)).toBeGreaterThan(0)
  }

  test('in SQLite', () => check({ customers: 80 }), 60_000)

  test.skipIf(!hasRedis)(
    'in BullMQ',
    async () => {
      await using server = await redisServer()
      await check({ customers: 40, place: `redis://127.0.0.1:${server.port}` })
    },
    60_000,
  )

  test('in DynamoDB', async () => {
    await using server = await dynamoServer()
    await check({ customers: 40, place: `dynamodb://${server.host}/${TABLE}` })
  }, 60_000)

  test('in SQS', async () => {
    await using server = await sqsServer()
    await check({ customers: 40, place: `sqs://${server.host}` })
  }, 60_000)
})
