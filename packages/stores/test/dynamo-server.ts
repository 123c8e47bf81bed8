// DynamoDB on a free port of 127.0.0.1, as dynalite has it, with the table that the README defines.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  CreateTableCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb'
import dynalite from 'dynalite'

export const TABLE = 'fuseboard'

export interface DynamoServer extends AsyncDisposable {
  readonly port: number
}

/** @param now what its answers say the time is */
export async function dynamoServer(now: () => number = Date.now): Promise<DynamoServer> {
  const server = dynalite({ createTableMs: 0 })
  server.prependListener('request', (_request, response) => response.setHeader('date', new Date(now()).toUTCString()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = dynamoClient(port)
  await client.send(
    new CreateTableCommand({
      TableName: TABLE,
      AttributeDefinitions: [{ AttributeName: 'k', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'k', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.05 }, { TableName: TABLE })
  client.destroy()
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export const configOf = (port: number | string): DynamoDBClientConfig => ({
  endpoint: `http://127.0.0.1:${port}`,
  region: 'local',
  credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
})

export const dynamoClient = (port: number | string): DynamoDBClient => new DynamoDBClient(configOf(port))
