// The fallback that queues a write which its host cannot take now, and answers for it.
import {
  header,
  reply as made,
  type Awaitable,
  type Failure,
  type Fallback,
  type HttpRequest,
  type Replies,
  type Reply,
} from '@fuseboard/core'
import { checkFunction, checkHeader, checkKnown, show, wordsOf } from './options.ts'
import type { Outbox, Queued } from './outbox.ts'
import { hold, type Bytes } from './payload.ts'

/** Which requests are deferred, and what their callers get. */
export interface DeferOptions {
  outbox: Outbox
  /** Which requests may wait: only those whose answer the caller does not need at once. */
  when: (request: HttpRequest) => boolean
  /**
   * The header by which the API knows a request again, such as `PayPal-Request-Id`. A request that has it keeps its value;
   * others get a random one before they are sent the first time.
   */
  idempotencyHeader: string
  /** The answer for the caller. @default status 202 with `{ "status": "pending", "retry": true, "id": ... }` */
  reply?: (queued: Queued) => Fallback | Reply
}

/** A request that may be deferred: asked of before it is sent, and again where it failed. */
interface Prepared {
  readonly key: string
  readonly bytes: () => Promise<Bytes>
}

/**
 * Queues requests that the circuit refused, since they were never sent, and those that failed, since their idempotency key was
 * on the wire before the first try, so that the host knows them again. What the host did answer, a 4xx say, goes to the caller.
 *
 * @example
 * fallback: defer({ outbox, idempotencyHeader: 'PayPal-Request-Id',
 *   when: ({ method, url }) => method === 'POST' && new URL(url).pathname === '/v1/billing/subscriptions' })
 * @throws TypeError that names the option, its rule and the value
 */
export function defer(options: DeferOptions): Fallback {
  checkKnown('defer', options, ['outbox', 'when', 'idempotencyHeader', 'reply'])
  const { outbox, when, idempotencyHeader, reply = pending } = options
  // By what it can do: there may be two copies of this package.
  if (typeof (outbox as Partial<Outbox> | undefined)?.enqueue !== 'function')
    throw new TypeError(`defer.outbox must be an outbox, got ${show(outbox)}`)
  if (typeof when !== 'function') throw new TypeError(`defer.when must be a function, got ${show(when)}`)
  checkFunction('defer.reply', reply)
  checkHeader('defer.idempotencyHeader', idempotencyHeader)

  // The view of a request is the same before and after it is sent, and another for each attempt.
  const prepared = new WeakMap<HttpRequest, Prepared>()
  const { maxBodyBytes, backoff } = outbox.settings
  // An empty one would be the same for all.
  const keyIn = (request: HttpRequest): string | undefined => header(request.headers, idempotencyHeader) || undefined
  const wanted = (request: HttpRequest): boolean => when(request) && !outbox.sending.has(keyIn(request) ?? '')

  const take = (request: HttpRequest): Prepared => {
    const known = prepared.get(request)
    if (known !== undefined) return known
    const key = keyIn(request) ?? crypto.randomUUID()
    const own = { key, bytes: hold(() => request.payload?.(), maxBodyBytes) }
    prepared.set(request, own)
    return own
  }

  return {
    prepare(request) {
      if (!wanted(request)) return undefined
      const { key } = take(request)
      return keyIn(request) === undefined ? [[idempotencyHeader, key]] : undefined
    },

    covers(failure) {
      const { request, reason } = failure
      if (!wanted(request)) return false
      if (reason === 'refused') return true
      // Only `prepare` puts a key on the wire: where it was not asked, as within a function of the list, there is none.
      return isOpenEnded(failure) && (prepared.has(request) || keyIn(request) !== undefined)
    },

    async standIn(failure, replies) {
      const { request, reason, key: circuit } = failure
      const { key, bytes } = take(request)
      const warn = (message: string): void => replies.warn('outbox', message)
      const queued = await outbox.put(
        {
          original: request,
          bytes: await readable(bytes, request),
          circuit,
          idempotencyHeader,
          idempotencyKey: key,
          wait: reason === 'refused' ? 0 : backoff.from,
        },
        warn,
      )
      return answer(reply, queued, failure, replies)
    },
  }
}

// By this core knows one that was not called.
Reflect.set(defer, Symbol.for('fuseboard.maker'), true)

/** The host may have done what was asked, or may do it later. */
function isOpenEnded({ response }: Failure): boolean {
  if (response === undefined) return true
  const { status } = response
  return status === 408 || (status >= 500 && status !== 501 && status !== 505)
}

async function readable(bytes: () => Promise<Bytes>, { method, host }: HttpRequest): Promise<Bytes> {
  try {
    return await bytes()
  } catch (error) {
    throw new Error(`${method} to ${host} cannot wait in the outbox: ${wordsOf(error)}`, { cause: error })
  }
}

/** It is queued by now: whatever goes wrong here, its caller must hear so. */
async function answer(
  make: (queued: Queued) => Fallback | Reply,
  queued: Queued,
  failure: Failure,
  replies: Replies,
): Promise<Reply | undefined> {
  try {
    const given = await replyOf(make(queued), failure, replies)
    if (given !== undefined) return given
    replies.warn('outbox', 'reply of defer gave nothing')
  } catch (error) {
    replies.warn('outbox', `reply of defer failed: ${wordsOf(error)}`)
  }
  return replyOf(pending(queued), failure, replies)
}

const pending = ({ id }: Queued): Fallback => made({ status: 202, json: { status: 'pending', retry: true, id } })

function replyOf(given: Fallback | Reply, failure: Failure, replies: Replies): Awaitable<Reply | undefined> {
  if (!('standIn' in given)) return given
  return given.chosen === undefined ? given.standIn(failure, replies) : given.chosen(failure, replies)
}
