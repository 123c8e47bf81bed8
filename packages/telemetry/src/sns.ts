// Alerts to a topic of Amazon SNS, through the caller's own client.
import type { Alert, Notifier } from './alert.ts'
import { subjectOf } from './alert.ts'
import { checkFunction, checkMethod, checkOptions, show } from './checks.ts'

/** What is needed of a client: an `SNSClient` of the AWS SDK v3. */
export interface SnsClientLike {
  send(command: never, options?: { abortSignal?: AbortSignal }): Promise<unknown>
}

/** Where alerts are published. */
export interface SnsOptions {
  /** The caller's own, which is neither made nor closed here. */
  client: SnsClientLike
  topicArn: string
  /** The class `PublishCommand`. @default imported from `@aws-sdk/client-sns` when it is first needed */
  command?: new (input: never) => object
}

/**
 * Publishes alerts: a subject, the text, and the attributes `kind` and `label`, which subscriptions may filter by.
 *
 * @throws TypeError where an option is wrong
 */
export function sns(options: SnsOptions): Notifier {
  checkOptions('sns', options, ['client', 'topicArn', 'command'])
  const { client, topicArn, command } = options
  checkMethod('sns.client', client, 'send')
  checkFunction('sns.command', command)
  if (typeof topicArn !== 'string' || !/^arn:[\w-]+:sns:[\w-]*:\d*:[\w.-]+$/.test(topicArn))
    throw new TypeError(`sns.topicArn must be the ARN of a topic, got ${show(topicArn)}`)

  return {
    name: 'sns',
    async notify(alert, signal) {
      const Command: NonNullable<typeof command> = command ?? (await import('@aws-sdk/client-sns')).PublishCommand
      await client.send(new Command(inputOf(alert, topicArn) as never) as never, { abortSignal: signal })
    },
  }
}

function inputOf(alert: Alert, TopicArn: string): object {
  const attribute = (StringValue: string): object => ({ DataType: 'String', StringValue })
  // A FIFO topic takes nothing without these, and gives what it was sent twice only once.
  const fifo = TopicArn.endsWith('.fifo') ? { MessageGroupId: 'fuseboard', MessageDeduplicationId: alert.id } : {}
  return {
    TopicArn,
    Subject: subjectOf(alert),
    Message: alert.text,
    MessageAttributes: { kind: attribute(alert.kind), label: attribute(alert.label) },
    ...fifo,
  }
}
