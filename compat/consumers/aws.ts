// What takes types of the AWS SDK, and of BullMQ.
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { SQSClient } from '@aws-sdk/client-sqs'
import { createBoard, staleIfError } from '@fuseboard/core'
import { createOutbox } from '@fuseboard/outbox'
import { bullmqOutbox, type BullmqOutboxOptions } from '@fuseboard/outbox/bullmq'
import { dynamoOutbox } from '@fuseboard/outbox/dynamodb'
import { sqsOutbox } from '@fuseboard/outbox/sqs'
import { dynamoFleet, dynamoReplies } from '@fuseboard/stores/dynamodb'
import { putMetricData } from '@fuseboard/telemetry/cloudwatch'

const client = new DynamoDBClient({ region: 'eu-west-1' })
export const board = createBoard({
  fallback: staleIfError(),
  replies: dynamoReplies(client, { table: 'fuseboard', namespace: 'shop' }),
  fleet: dynamoFleet(client, { table: 'fuseboard', namespace: 'shop' }),
})
export const metrics = putMetricData(board, { client: new CloudWatchClient({ region: 'eu-west-1' }) })
export const outboxes = [
  dynamoOutbox({ client, table: 'fuseboard', namespace: 'shop' }),
  sqsOutbox({ client: new SQSClient({ region: 'eu-west-1' }), queues: {}, deadLetterUrl: 'https://sqs.test/dead' }),
].map((store) => createOutbox({ store }))
export const inRedis = (connection: BullmqOutboxOptions['connection']) => bullmqOutbox('shop', { connection })
