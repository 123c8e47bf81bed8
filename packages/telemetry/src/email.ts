// Alerts by e-mail, through a transport such as nodemailer's.
import { subjectOf, type Notifier } from './alert.ts'
import { checkMethod, checkOptions, checkText } from './checks.ts'

/** What is needed of a transport: nodemailer's is one. */
export interface TransportLike {
  sendMail(message: EmailOptions & { subject: string; text: string }): Promise<unknown>
}

/** Whose mail it is. What the transport has defaults for may be left out. */
export interface EmailOptions {
  from?: string
  to?: string | string[]
}

/**
 * Sends alerts as plain text.
 *
 * @example email(nodemailer.createTransport(url), { from: 'fuses@example.org', to: 'admin@example.org' })
 * @throws TypeError where the transport or an option is wrong
 */
export function email(transport: TransportLike, options: EmailOptions = {}): Notifier {
  checkMethod('the transport of email', transport, 'sendMail')
  checkOptions('email', options, ['from', 'to'])
  const { from, to } = options
  if (from !== undefined) checkText('email.from', from)
  if (to !== undefined) for (const one of [to].flat()) checkText('email.to', one)
  return {
    name: 'email',
    notify: (alert) => transport.sendMail({ ...options, subject: subjectOf(alert), text: alert.text }),
  }
}
