// A Lambda that reads verses out of bible-api.com: its instances share one circuit, and CloudWatch is told how it is.
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createBoard, guardFetch, policy, reply, withBoard } from '@fuseboard/core'
import { dynamoFleet } from '@fuseboard/stores/dynamodb'
import { cloudwatch } from '@fuseboard/telemetry/cloudwatch'

const { VERSES = 'https://bible-api.com', FUSEBOARD_TABLE = '', FUSEBOARD_NAMESPACE = '' } = process.env

const client = new DynamoDBClient({
  maxAttempts: 1,
  requestHandler: { connectionTimeout: 500, requestTimeout: 1_000 },
})

/** Exported for `fuseboard-alarms`. */
export const board = createBoard({
  hosts: {
    [new URL(VERSES).host]: policy({
      label: 'bible-api',
      consecutiveFailures: 3,
      openFor: '30s',
      fallback: ({ request }) =>
        reply({ json: { reference: referenceIn(request.url), text: '[Bible verse temporarily unavailable]' } }),
    }),
  },
  fleet: dynamoFleet(client, { table: FUSEBOARD_TABLE, namespace: FUSEBOARD_NAMESPACE }),
})
const fetch = guardFetch(board)
const metrics = cloudwatch(board, { namespace: 'CCT/CircuitBreakers', dimension: 'ServiceName' })

export const handler = withBoard(board, async (/** @type {{ reference: string }} */ { reference }) => {
  try {
    const answer = await fetch(urlOf(reference), { signal: AbortSignal.timeout(5_000) })
    return await answer.json()
  } finally {
    await metrics.flush()
  }
})

/** @param {string} reference */
function urlOf(reference) {
  const url = new URL(VERSES)
  url.pathname = reference.replaceAll(' ', '+')
  return url
}

/** @param {string} url */
function referenceIn(url) {
  return decodeURIComponent(new URL(url).pathname.slice(1).replaceAll('+', ' '))
}
