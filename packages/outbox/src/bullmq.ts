// An outbox in BullMQ, for servers that share a Redis: one queue of BullMQ for each circuit, and one that lists them.
import { randomUUID } from 'node:crypto'
import {
  createRedisBackend,
  ErrorCode,
  isRedisInstance,
  Job,
  Queue,
  Worker,
  type IQueueBackend,
  type IRedisClient,
  type RedisConnectionClient,
  type RedisQueueBackend,
  type WorkerOptions,
} from 'bullmq'
import { checkKnown, show } from './options.ts'
import type { Claim, Depth, Ending, Entry, OutboxStore, Receipt, Result } from './store.ts'

/** Where in Redis the queues are. */
export interface BullmqOutboxOptions {
  /**
   * The caller's own client of ioredis, redis or another that BullMQ takes; no options of one. It is not closed here, and no
   * second one is made.
   */
  connection: IRedisClient | RedisConnectionClient
  /** What the names of all keys begin with, as in BullMQ; a cluster needs one in braces. @default 'bull' */
  prefix?: string
}

/**
 * Keeps requests in queues of BullMQ 6: the queue `name` lists the circuits, and each circuit has the queue `name@circuit`. What
 * is queued survives what Redis does: with `appendonly yes` and `appendfsync always` a loss of power, with `everysec` all but the
 * last second or two. A call that Redis does not answer within 5 seconds fails.
 *
 * @param name of the outbox: processes that give the same share it. 1 to 64 letters, digits, dots, hyphens or underscores
 * @example createOutbox({ store: bullmqOutbox('outbox', { connection: new Redis() }) })
 * @throws TypeError where the name or the connection is none
 */
export function bullmqOutbox(name: string, options: BullmqOutboxOptions): OutboxStore {
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name)) {
    const rule = 'must be 1 to 64 letters, digits, dots, hyphens or underscores'
    throw new TypeError(`the name of bullmqOutbox ${rule}, got ${show(name)}`)
  }
  checkKnown('bullmqOutbox', options, ['connection', 'prefix'])
  const { connection, prefix } = options
  if (!isRedisInstance(connection)) {
    throw new TypeError(`bullmqOutbox.connection must be a client of Redis, got ${show(connection)}`)
  }
  return new Queues(name, { connection, ...(prefix !== undefined && { prefix }) })
}

/** What a job carries. */
interface Data {
  readonly entry: Entry
  /** In base64. */
  readonly body: string | undefined
  /** The first one with the same idempotency key: this one waits for it, and for those that came in between. */
  readonly behind: string | undefined
}

/** What is known of a job beside its data: kept as its progress. */
interface Note {
  readonly error?: string | undefined
  /** Of one that was given up. */
  readonly at?: number
  readonly receipt?: Receipt | undefined
  /** It was sent by one that had lost its lease, and is to be completed. */
  readonly sent?: Sent
}

type Sent = Omit<Extract<Ending, { state: 'sent' }>, 'state'>
type Dead = Extract<Ending, { state: 'dead' }>
type Again = Parameters<OutboxStore['retry']>[1]
type Request = Job<Data, Sent | null>
type RequestQueue = Queue<Data, Sent | null, string, Data, Sent | null, string, IQueueBackend>
type RequestWorker = Worker<Data, Sent | null, string, IQueueBackend>

/** One circuit's queue, and the worker that takes from it by hand. */
interface Line {
  readonly circuit: string
  readonly queue: RequestQueue
  readonly worker: RequestWorker
  readonly backend: IQueueBackend
}

/** What all queues share: it is what listens to the client. */
interface Root {
  readonly backend: RedisQueueBackend
  /** One job for each circuit, which nobody takes. */
  readonly list: Queue<object, unknown, string, object, unknown, string, IQueueBackend>
}

/** A request as it was found. */
interface Known {
  readonly line: Line
  readonly job: Request
  readonly state: string
}

/** How long a call may take, in milliseconds: whoever waits for it is a caller that waits for its answer. */
const LIMIT = 5_000

/** How many that wait for another with their key are passed over at most when others are looked for. */
const MOST_BEHIND = 64

/** How many of those that wait for their time are looked at for the oldest. */
const MOST_LOOKED_AT = 10

/** It is not there, not locked, not active, or locked by another. */
const LOST: ReadonlySet<unknown> = new Set([
  ErrorCode.JobNotExist,
  ErrorCode.JobLockNotExist,
  ErrorCode.JobNotInState,
  ErrorCode.JobLockMismatch,
])

/** A lock that BullMQ does not ask for. */
const ANY = '0'

/** Receipts are in its events, too, of which BullMQ would keep 10,000. */
const STREAMS = { streams: { events: { maxLen: 100 } } }

class Queues implements OutboxStore {
  readonly #name: string
  readonly #options: WorkerOptions
  readonly #lines = new Map<string, Line>()
  #root: Root | undefined = undefined
  #opening: Promise<void> | undefined = undefined

  constructor(name: string, options: Pick<WorkerOptions, 'connection' | 'prefix'>) {
    this.#name = name
    this.#options = {
      ...options,
      autorun: false,
      // Until the lease is known, one step later.
      lockDuration: 30_000,
      // A worker that dies says nothing of the request that it had.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      // At each claim.
      stalledInterval: 1,
    }
  }

  put(entry: Entry): Promise<'queued' | 'duplicate'> {
    return this.#ask(async (signal) => {
      const [known] = await Promise.all([this.#find(entry.id), this.#enlist(entry.circuit)])
      // Whoever was told that it failed must not find it taken in later.
      signal.throwIfAborted()
      if (known !== undefined && !(await isForgotten(known, entry))) return putAgain(known, entry)
      await add(this.#line(entry.circuit), entry, signal)
      return 'queued'
    })
  }

  claim(circuit: string, most: number, now: number, leasedUntil: number): Promise<readonly Claim[]> {
    return this.#ask(async (signal) => {
      const line = this.#line(circuit)
      const token = randomUUID()
      const claims: Claim[] = []
      const behind: Request[] = []
      const take = async (): Promise<void> => {
        while (claims.length < most && behind.length < MOST_BEHIND && !signal.aborted) {
          const job = await line.worker.getNextJob(token, { block: false })
          if (job === undefined) return
          if (await mayNotGo(line, job, token, now)) continue
          if (await isBehind(line, job)) behind.push(job)
          else if (await job.extendLock(token, Math.ceil(leasedUntil - now))) claims.push(claimOf(job, token))
        }
      }
      await take()
      // Those of workers that died come back. One that was taken just now is seen by this, too, and looked after next time.
      const stalled = await line.backend.moveStalledJobsToWait()
      if (stalled.length > 0) await take()
      // To the head of the line, the first of them last.
      for (const job of behind.toReversed()) await unlessLost(() => job.moveToWait(token))
      return claims
    })
  }

  retry(claim: Claim, again: Again): Promise<void> {
    return this.#ask(async () => {
      const { backend } = this.#line(claim.circuit)
      await unlessLost(() => putBack(backend, claim, again))
    })
  }

  settle(claim: Claim, ending: Ending): Promise<void> {
    return this.#ask(async () => {
      const line = this.#line(claim.circuit)
      await (ending.state === 'sent' ? settleSent(line, claim, ending) : settleDead(line, claim, ending))
    })
  }

  result(id: string): Promise<Result | undefined> {
    return this.#ask(async () => {
      const known = await this.#find(id)
      // Once more, since it may have ended between the two answers.
      const job = await known?.line.queue.getJob(id)
      return known && job && resultOf(job, known.state)
    })
  }

  depth(): Promise<Depth> {
    return this.#ask(async () => {
      const all = await Promise.all((await this.#circuits()).map((circuit) => depthOf(this.#line(circuit))))
      const waiting = all.filter(({ pending }) => pending > 0)
      const oldest = Math.min(...waiting.map((one) => one.oldest))
      return {
        pending: waiting.reduce((sum, { pending }) => sum + pending, 0),
        oldest: Number.isFinite(oldest) ? oldest : undefined,
        dead: all.reduce((sum, one) => sum + one.dead, 0),
        circuits: waiting.map(({ circuit }) => circuit),
      }
    })
  }

  /** @throws Error where Redis cannot be asked, or does not answer in time: the caller must hear so, and soon */
  async #ask<T>(step: (signal: AbortSignal) => Promise<T>): Promise<T> {
    checkConnected(this.#options.connection, this.#root !== undefined)
    const signal = AbortSignal.timeout(LIMIT)
    return new Promise<T>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error(`Redis has not answered for ${LIMIT} ms`)), {
        once: true,
      })
      this.#open()
        .then(() => step(signal))
        .then(resolve, reject)
    })
  }

  async #open(): Promise<void> {
    if (this.#root === undefined) {
      this.#opening ??= this.#begin().finally(() => (this.#opening = undefined))
      await this.#opening
    }
  }

  async #begin(): Promise<void> {
    const backend = createRedisBackend(this.#name, this.#options)
    // Whoever asks is told; the client's own listeners are, too.
    backend.on('error', () => {})
    try {
      await backend.waitUntilReady()
    } catch (error) {
      // It would fail for ever.
      await backend.close().catch(() => {})
      throw error
    }
    this.#root = {
      backend,
      list: new Queue(this.#name, { ...this.#options, ...STREAMS }, () => backend.forQueue(this.#name)),
    }
  }

  get #opened(): Root {
    if (this.#root === undefined) throw new Error('it is not open yet')
    return this.#root
  }

  #line(circuit: string): Line {
    const known = this.#lines.get(circuit)
    if (known !== undefined) return known
    const name = `${this.#name}@${encodeURIComponent(circuit)}`
    const backend = this.#opened.backend.forQueue(name)
    const queue: RequestQueue = new Queue(name, { ...this.#options, ...STREAMS }, () => backend)
    const worker: RequestWorker = new Worker(name, null, this.#options, () => backend)
    const line = { circuit, queue, worker, backend }
    this.#lines.set(circuit, line)
    return line
  }

  /** Before the request itself, so that none waits where nobody looks. Never taken off: another may be coming just then. */
  async #enlist(circuit: string): Promise<void> {
    await this.#opened.list.add(circuit, {}, { jobId: `@${encodeURIComponent(circuit)}` })
  }

  async #circuits(): Promise<readonly string[]> {
    const listed = await this.#opened.list.getJobs(['waiting'])
    return listed.map(({ name }) => name)
  }

  /** An id does not say which circuit it is of. */
  async #find(id: string): Promise<Known | undefined> {
    const lines = (await this.#circuits()).map((circuit) => this.#line(circuit))
    const all = await Promise.all(
      lines.map(async (line) => {
        const job = await line.queue.getJob(id)
        return job && { line, job, state: await job.getState() }
      }),
    )
    return all.find((known) => known !== undefined && known.state !== 'unknown')
  }
}

/**
 * So that nothing queues up in the client, to be done when nobody expects it any more. Before the first time it may be connecting
 * yet: BullMQ waits for that itself, and sends nothing before.
 */
function checkConnected(client: Partial<RedisConnectionClient>, once: boolean): void {
  const status = (client.status as string | undefined) ?? (client.isReady === false ? 'connecting' : 'ready')
  const usable = ['ready', 'wait', ...(once ? [] : ['connecting', 'connect']), ...(client.isCluster ? ['connect'] : [])]
  if (!usable.includes(status)) throw new Error(`the client of Redis is not connected (${status})`)
}

function dataOf({ request: { body, ...request }, ...rest }: Entry, behind: string | undefined): Data {
  // What is not stored is not of its type: the body is beside it.
  const entry = { ...rest, request: { ...request, body: undefined } }
  return { entry, body: body && Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'), behind }
}

function claimOf({ data: { entry, body }, attemptsMade }: Request, lease: string): Claim {
  const bytes = body === undefined ? undefined : Buffer.from(body, 'base64')
  const { attempts, request } = entry
  return { ...entry, attempts: attempts + attemptsMade, request: { ...request, body: bytes }, lease }
}

const noteOf = ({ progress }: Pick<Request, 'progress'>): Note => (typeof progress === 'object' ? progress : {})

async function add({ queue }: Line, entry: Entry, signal: AbortSignal): Promise<void> {
  const { id, idempotencyKey, queuedAt, notBefore, expiresAt, request } = entry
  const name = `${request.method} ${request.url}`
  const options = { jobId: id, timestamp: queuedAt, delay: Math.max(notBefore - queuedAt, 0) }
  // BullMQ knows which is the first of a key for as long as its host does. Others stand in line in the log of that one.
  const ttl = Math.max(Math.ceil(expiresAt - queuedAt), 1)
  const first = await queue.add(name, dataOf(entry, undefined), {
    ...options,
    deduplication: { id: idempotencyKey, ttl },
  })
  if (first.id === undefined || first.id === id) return
  signal.throwIfAborted()
  const before = await unlessLost(() => queue.addJobLog(first.id as string, id))
  signal.throwIfAborted()
  await queue.add(name, dataOf(entry, before === undefined ? undefined : first.id), options)
}

/** What was sent is remembered for as long as the API remembers it. */
async function isForgotten({ job, state }: Known, { queuedAt }: Entry): Promise<boolean> {
  if (state !== 'completed' || job.data.entry.expiresAt > queuedAt) return false
  await job.remove()
  return true
}

/** Queues one once more that was given up. Where it is listed: its circuit may have got another name since. */
async function putAgain({ line, job, state }: Known, entry: Entry): Promise<'queued' | 'duplicate'> {
  if (state !== 'failed') return 'duplicate'
  await job.updateData(dataOf({ ...entry, circuit: line.circuit }, job.data.behind))
  const retried = await unlessLost(async () => {
    await job.retry('failed', { resetAttemptsMade: true })
    return true
  })
  return retried === true ? 'queued' : 'duplicate'
}

/** As {@link OutboxStore.retry}. */
async function putBack(backend: IQueueBackend, { id, lease, ...claim }: Claim, again: Again): Promise<void> {
  const { at, attempts, error } = again
  const note: Note = { error }
  const now = Date.now()
  const untried = attempts === claim.attempts
  if (untried && at <= now) {
    // It keeps its place, at the head of the line.
    await backend.moveJobFromActiveToWait(id, lease)
    if (error !== undefined) await backend.updateProgress(id, note)
    return
  }
  await backend.moveToDelayed(id, now, Math.max(Math.ceil(at - now), 0), lease, {
    skipAttempt: untried,
    ...(error !== undefined && { fieldsToUpdate: { progress: JSON.stringify(note) } }),
  })
}

/** One that was queued once more may be too early, and one that was sent meanwhile is done. */
async function mayNotGo(line: Line, job: Request, token: string, now: number): Promise<boolean> {
  const { entry } = job.data
  const { sent } = noteOf(job)
  if (sent !== undefined) await unlessLost(() => complete(line, entry, sent, token))
  else if (entry.notBefore > now) await unlessLost(() => job.moveToDelayed(entry.notBefore, token))
  else return false
  return true
}

/** Whether an earlier one with the same key waits or is under way. */
async function isBehind({ queue }: Line, { id, data: { behind } }: Request): Promise<boolean> {
  if (behind === undefined || id === undefined) return false
  const { logs } = await queue.getJobLogs(behind, 0, -1, true)
  const earlier = [behind, ...logs.slice(0, Math.max(logs.indexOf(id), 0))]
  const states = await Promise.all(earlier.map((one) => queue.getJobState(one)))
  return states.some((state) => !ENDED.has(state))
}

const ENDED: ReadonlySet<string> = new Set(['completed', 'failed', 'unknown'])

/** As sent in any case: where it is neither its own nor anybody's just now, whoever takes it next completes it. */
async function settleSent(line: Line, claim: Claim, { at, receipt }: Sent): Promise<void> {
  const { backend } = line
  const { id } = claim
  const sent: Sent = { at, receipt }
  if (await unlessLost(() => complete(line, claim, sent, claim.lease))) return
  await unlessLost(() => backend.updateProgress(id, { sent } satisfies Note))
  if (await unlessLost(() => complete(line, claim, sent, ANY))) return
  // Others have given it up.
  if ((await backend.getState(id)) === 'failed')
    await unlessLost(() => backend.retryFinishedJob(jobOf(line, id), 'failed'))
}

/** @throws Error where it is not active under this lock */
async function complete(line: Line, entry: Entry, sent: Sent, token: string): Promise<true> {
  const { id, queuedAt, expiresAt, request } = entry
  const job = jobOf(line, id)
  const keep = { age: Math.ceil((expiresAt - queuedAt) / 1000) }
  await line.backend.moveToCompleted(job, sent, keep, token, false)
  // Its body is of no use any more.
  await unlessLost(() => job.updateData(dataOf({ ...entry, request: { ...request, body: undefined } }, undefined)))
  return true
}

async function settleDead(line: Line, { id, lease }: Claim, { at, error, receipt }: Dead): Promise<void> {
  const note: Note = { at, receipt }
  const fields = { progress: JSON.stringify(note) }
  await unlessLost(() => line.backend.moveToFailed(jobOf(line, id), error, false, lease, false, fields))
}

/** A job of which no more is needed than its id. */
const jobOf = ({ queue }: Line, id: string): Request => new Job(queue, '', {} as Data, {}, id)

function resultOf(
  { data, attemptsMade, failedReason, finishedOn = 0, ...job }: Request,
  state: string,
): Result | undefined {
  const { sent = job.returnvalue, error, at = finishedOn, receipt } = noteOf(job)
  // Also where it is yet to be completed.
  if (sent) return data.entry.expiresAt <= Date.now() ? undefined : { state: 'sent', ...sent }
  if (state === 'failed') return { state: 'dead', at, error: failedReason, receipt }
  return { state: 'pending', attempts: data.entry.attempts + attemptsMade, error }
}

interface LineDepth {
  readonly circuit: string
  readonly pending: number
  readonly oldest: number
  readonly dead: number
}

async function depthOf({ circuit, queue }: Line): Promise<LineDepth> {
  const { failed: dead = 0, ...rest } = await queue.getJobCounts('waiting', 'delayed', 'active', 'failed')
  const pending = Object.values(rest).reduce((sum, count) => sum + count, 0)
  if (pending === 0) return { circuit, pending, oldest: Infinity, dead }
  const heads = await Promise.all([
    queue.getJobs(['waiting'], 0, 0, true),
    queue.getJobs(['active']),
    // Those that wait longest from now have mostly failed most.
    queue.getJobs(['delayed'], 0, MOST_LOOKED_AT - 1),
  ])
  const times = heads.flat().map(({ data }) => data.entry.queuedAt)
  return { circuit, pending, oldest: Math.min(...times), dead }
}

/** @returns undefined where the job is gone, or no longer the caller's */
async function unlessLost<T>(step: () => Promise<T>): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    if (LOST.has((error as { code?: unknown }).code)) return undefined
    throw error
  }
}
