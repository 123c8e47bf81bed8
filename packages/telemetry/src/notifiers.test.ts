// SNS, by the real client of the SDK, and e-mail, by a transport such as nodemailer's.
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns'
import { createBoard } from '@fuseboard/core'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { aws, type Aws } from '../test/aws.ts'
import { alertOf, type Alert, type AlertKind } from './alert.ts'
import { alerts, email, sns } from './alerts.ts'

const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:admin'
const NEVER = new AbortController().signal

const alert = (kind: AlertKind = 'open', label = 'paypal'): Alert =>
  alertOf({
    kind,
    key: 'api.paypal.com',
    label,
    at: 1,
    since: 1,
    text: 'paypal open for 60 s: 5 calls in a row failed.',
  })

describe('sns', () => {
  let server: Aws
  beforeEach(async () => {
    server = await aws()
  })
  afterEach(() => server[Symbol.asyncDispose]())

  const client = (): SNSClient => {
    const made = new SNSClient(server.config)
    onTestFinished(() => made.destroy())
    return made
  }
  const published = (): Record<string, string>[] =>
    server.received.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))

  test('publishes subject, text and attributes, as the installed client sends them', async () => {
    await sns({ client: client(), topicArn: TOPIC }).notify(alert(), NEVER)
    expect(server.received[0]?.headers['content-type']).toBe('application/x-www-form-urlencoded')
    expect(published()).toEqual([
      {
        Action: 'Publish',
        Version: '2010-03-31',
        TopicArn: TOPIC,
        Subject: 'Fuseboard: paypal is open',
        Message: 'paypal open for 60 s: 5 calls in a row failed.',
        'MessageAttributes.entry.1.Name': 'kind',
        'MessageAttributes.entry.1.Value.DataType': 'String',
        'MessageAttributes.entry.1.Value.StringValue': 'open',
        'MessageAttributes.entry.2.Name': 'label',
        'MessageAttributes.entry.2.Value.DataType': 'String',
        'MessageAttributes.entry.2.Value.StringValue': 'paypal',
      },
    ])
  })

  test('gives a FIFO topic what it asks for', async () => {
    const told = alert()
    await sns({ client: client(), topicArn: `${TOPIC}.fifo`, command: PublishCommand }).notify(told, NEVER)
    expect(published()[0]).toMatchObject({ MessageGroupId: 'fuseboard', MessageDeduplicationId: told.id })
  })

  test('tells of a host that opens, and fails as a warning', async () => {
    const board = createBoard()
    const warnings: string[] = []
    board.on('warning', ({ message }) => warnings.push(message))
    const telling = alerts(board, { notify: [sns({ client: client(), topicArn: TOPIC })] })
    board.circuit('a.test').trip()
    expect(await telling.flush()).toMatchObject({ sent: 1 })
    server.answers = 'failure'
    board.circuit('b.test').trip()
    expect(await telling.flush()).toMatchObject({ sent: 0, failed: 1 })
    expect(warnings).toEqual([expect.stringMatching(/^An alert was not sent by sns: /)])
  })

  test('stops where it takes too long', async () => {
    server.answers = 'never'
    const notified = sns({ client: client(), topicArn: TOPIC }).notify(alert(), AbortSignal.timeout(50))
    await expect(notified).rejects.toThrow(/abort/i)
  })

  test.each([
    [undefined, /^the options of sns must be an object, got undefined$/],
    [{ topicArn: TOPIC }, /^sns\.client must have a method send, got undefined$/],
    [{ client: { send() {} }, topicArn: 'admin' }, /^sns\.topicArn must be the ARN of a topic, got "admin"$/],
    [{ client: { send() {} }, topicArn: TOPIC, command: {} }, /^sns\.command must be a function/],
    [{ client: { send() {} }, topicArn: TOPIC, subject: '' }, /^sns has no option subject/],
  ])('bad input is told: %#', (options, message) => {
    expect(() => sns(options as never)).toThrow(message)
  })
})

describe('a subject', () => {
  const subjects: string[] = []
  const mail = email({ sendMail: async ({ subject }) => subjects.push(subject) })

  test.each([
    ['open', 'paypal', 'Fuseboard: paypal is open'],
    ['still-open', 'paypal', 'Fuseboard: paypal is still open'],
    ['recovered', 'paypal', 'Fuseboard: paypal is closed again'],
    ['outbox-stale', 'outbox', 'Fuseboard: the outbox does not empty'],
    ['outbox-dead', 'outbox', 'Fuseboard: the outbox gave requests up'],
    ['store-down', 'fleet', 'Fuseboard: the store (fleet) does not answer'],
    ['open', 'a\r\nBcc: x@y.test', 'Fuseboard: a?Bcc: x@y.test is open'],
    ['open', 'Zürich', 'Fuseboard: Z?rich is open'],
    ['open', 'x'.repeat(300), `Fuseboard: ${'x'.repeat(89)}`],
  ] as const)('of %s %j is one short line', async (kind, label, subject) => {
    await mail.notify(alert(kind, label), NEVER)
    expect(subjects.at(-1)).toBe(subject)
  })
})

describe('email', () => {
  test('sends plain text from and to whom it was told', async () => {
    const sent: object[] = []
    const transport = { sendMail: async (message: object) => sent.push(message) }
    await email(transport, { from: 'fuses@a.test', to: ['admin@a.test'] }).notify(alert(), NEVER)
    expect(sent).toEqual([
      {
        from: 'fuses@a.test',
        to: ['admin@a.test'],
        subject: 'Fuseboard: paypal is open',
        text: 'paypal open for 60 s: 5 calls in a row failed.',
      },
    ])
  })

  test.each([
    [undefined, {}, /^the transport of email must have a method sendMail, got undefined$/],
    [{}, {}, /^the transport of email must have a method sendMail, got an object$/],
    [{ sendMail() {} }, null, /^the options of email must be an object, got null$/],
    [{ sendMail() {} }, { from: 5 }, /^email\.from must be a text, got 5$/],
    [{ sendMail() {} }, { to: '' }, /^email\.to must be a text, got ""$/],
    [{ sendMail() {} }, { to: ['a@a.test', null] }, /^email\.to must be a text, got null$/],
    [{ sendMail() {} }, { bcc: 'x' }, /^email has no option bcc; there are from, to$/],
  ])('bad input is told: %#', (transport, options, message) => {
    expect(() => email(transport as never, options as never)).toThrow(message)
  })
})
