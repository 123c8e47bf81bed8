// The clients of the AWS SDK and the transports that users have are taken as they are.
import { CloudWatch, CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch'
import { PublishCommand, SNS, SNSClient } from '@aws-sdk/client-sns'
import type { Board } from '@fuseboard/core'
import { expectTypeOf, test } from 'vitest'
import { alerts, email, sns, webhook, type Delivered, type Notifier } from './alerts.ts'
import { cloudwatch, putMetricData, type CloudWatchMetrics } from './cloudwatch.ts'

declare const board: Board

test('cloudwatch', () => {
  expectTypeOf(cloudwatch(board)).toEqualTypeOf<CloudWatchMetrics>()
  expectTypeOf(putMetricData(board, { client: new CloudWatchClient() })).toEqualTypeOf<CloudWatchMetrics>()
  putMetricData(board, { client: new CloudWatch(), command: PutMetricDataCommand, timeout: '2s' })
  // @ts-expect-error a client is needed
  putMetricData(board, {})
  // @ts-expect-error no duration
  putMetricData(board, { client: new CloudWatchClient(), timeout: '2 seconds' })
})

test('notifiers', () => {
  const topicArn = 'arn:aws:sns:eu-central-1:123456789012:admin'
  expectTypeOf(sns({ client: new SNSClient(), topicArn })).toEqualTypeOf<Notifier>()
  sns({ client: new SNS(), topicArn, command: PublishCommand })
  email({ sendMail: async (_mail: { from?: string; to?: string | string[]; subject?: string }) => ({ accepted: [] }) })
  // @ts-expect-error no topic
  sns({ client: new SNSClient() })
  const telling = alerts(board, { notify: [webhook('https://a.test')], escalateAfter: false })
  expectTypeOf(telling.flush()).resolves.toEqualTypeOf<Delivered>()
  // @ts-expect-error nobody to tell
  alerts(board, {})
})
