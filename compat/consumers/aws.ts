// What needs the AWS SDK, whose own types it takes.
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createBoard, staleIfError } from '@fuseboard/core'
import { dynamoFleet, dynamoReplies } from '@fuseboard/stores/dynamodb'
import { putMetricData } from '@fuseboard/telemetry/cloudwatch'

const client = new DynamoDBClient({ region: 'eu-west-1' })
export const board = createBoard({
  fallback: staleIfError(),
  replies: dynamoReplies(client, { table: 'fuseboard', namespace: 'shop' }),
  fleet: dynamoFleet(client, { table: 'fuseboard', namespace: 'shop' }),
})
export const metrics = putMetricData(board, { client: new CloudWatchClient({ region: 'eu-west-1' }) })
