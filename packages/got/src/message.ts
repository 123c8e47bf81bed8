// A stand-in as the response that node:http would have given got.
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Reply } from '@fuseboard/core'

const MARK: symbol = Symbol.for('fuseboard.fallback')
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304])

/** @internal The bytes of a stored reply are those on the wire: got decodes them again. */
export function toMessage({ status, statusText, headers, body, mark }: Reply, method: string): IncomingMessage {
  const message = new IncomingMessage(new Socket())
  message.statusCode = status
  message.statusMessage = statusText
  message.headers = fieldsOf(headers)
  message.rawHeaders = headers.flat()
  message.complete = true
  // got wraps the response of a stream that it decodes, or keeps in its cache, and hands the headers on.
  for (const marked of [message, message.headers]) Reflect.defineProperty(marked, MARK, { value: mark })
  const now = Date.now()
  Object.assign(message, { timings: { start: now, response: now, end: now, phases: { total: 0 } } })
  if (body.byteLength > 0 && method !== 'HEAD' && !BODILESS.has(status)) message.push(body)
  message.push(null)
  return message
}

/** As Node parses them: a list of cookies, and one line for what else is repeated. */
function fieldsOf(headers: Reply['headers']): IncomingMessage['headers'] {
  const fields: IncomingMessage['headers'] = {}
  for (const [field, value] of headers) {
    const name = field.toLowerCase()
    if (name === 'set-cookie') (fields[name] ??= []).push(value)
    else fields[name] = fields[name] === undefined ? value : `${String(fields[name])}, ${value}`
  }
  return fields
}
