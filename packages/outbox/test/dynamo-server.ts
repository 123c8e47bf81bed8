// DynamoDB on a free port of 127.0.0.1, as dynalite has it, with the table and the index that the README defines.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { CreateTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'

export const TABLE = 'fuseboard'

export interface DynamoServer extends AsyncDisposable {
  readonly host: string
  readonly client: DynamoDBClient
}

export async function dynamoServer(keyName = 'k'): Promise<DynamoServer> {
  const server = dynalite({ createTableMs: 0 })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
  const client = new DynamoDBClient({ endpoint: `http://${host}`, region: 'local', credentials })
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      AttributeDefinitions: [keyName, 'o', 's'].map((name) => ({ AttributeName: name, AttributeType: 'S' as const })),
      KeySchema: [{ AttributeName: keyName, KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'outbox',
          KeySchema: [
            { AttributeName: 'o', KeyType: 'HASH' },
            { AttributeName: 's', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['c', 'd', 'i', 'q'] },
        },
      ],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.05 }, { TableName: TABLE })
  return {
    host,
    client,
    async [Symbol.asyncDispose]() {
      client.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
