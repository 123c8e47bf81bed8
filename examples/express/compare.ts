// The same load three times: with all hosts well, with a host that takes every request and answers none, and so without a breaker.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { span } from '../format.ts'
import { Page, type Lines } from '../page.ts'
import { endingOf, type Promised } from '../promised.ts'
import { Host } from './host.ts'
import { offer, type Served } from './load.ts'
import type { Options } from './options.ts'
import { NAMES, type Name } from './policy.ts'
import type { Places } from './running.ts'

const PROGRAM = fileURLToPath(new URL('process.ts', import.meta.url))
const DEAD: Name = 'videos'
const OTHERS = NAMES.filter((name) => name !== DEAD)
/** Of the throughput of the control run. */
const KEPT = 0.99
/** Milliseconds: by which its timers may be late before a machine is called busy. */
const LATE = 200
const RESOLUTION = 10
/** Seconds for which the service is warmed up. */
const WARM = 1

interface Measured {
  readonly routes: ReadonlyMap<string, Served>
  /** What readiness said in the end. */
  readonly ready: { readonly code: number; readonly body: { readonly degraded: readonly { readonly host: string }[] } }
  /** Requests that reached the host that is dead, or is not. */
  readonly asked: number
}

/** @returns the exit status */
export async function compare(options: Options, out: NodeJS.WriteStream, stop: AbortSignal): Promise<number> {
  const page = new Page(out)
  const { rate, seconds } = options
  const lateness = monitorEventLoopDelay({ resolution: RESOLUTION })
  lateness.enable()
  page.print([
    page.paint('bold', 'Fuseboard in express: a host is dead, and the routes of the others do not notice'),
    '',
    `  Service   a process of its own, which asks three hosts through one board and waits 1 s for each`,
    `  Load      ${rate} requests a second for ${seconds} s, whatever comes back; three times`,
  ])
  try {
    page.print(page.heading('Control: all hosts are well'))
    const control = await measure(options, { dead: false }, stop)
    page.print(tableOf(control, page))
    page.print(page.heading(`${DEAD} is dead: it takes every request, and answers none`))
    const troubled = await measure(options, { dead: true }, stop)
    page.print(tableOf(troubled, page))
    page.print(page.heading(`The same with FUSEBOARD=off: ${DEAD} has its callers wait, each time`))
    page.print(tableOf(await measure(options, { dead: true, env: { FUSEBOARD: 'off' } }, stop), page))
    const promises = check(control, troubled, seconds)
    for (const promise of promises) page.print(page.promise(promise))
    const late = lateness.max / 1_000_000 - RESOLUTION
    if (late > LATE)
      page.print(['', `  This machine was busy: timers were up to ${span(late)} late, and so was all else.`])
    const ending = endingOf(promises)
    page.print(page.end(ending))
    return ending.status
  } catch (error) {
    if (!stop.aborted) throw error
    page.print(page.end({ status: 130, says: 'Stopped.' }))
    return 130
  }
}

interface Conditions {
  readonly dead: boolean
  /** What the environment of the service has besides. */
  readonly env?: Readonly<Record<string, string>>
}

async function measure({ rate, seconds }: Options, { dead, env }: Conditions, stop: AbortSignal): Promise<Measured> {
  const hosts = await Promise.all(NAMES.map((name) => Host.listen(name)))
  const origins = Object.fromEntries(NAMES.map((name, nth) => [name, hosts[nth]!.origin]))
  const child = fork(PROGRAM, [JSON.stringify(origins)], { env: { ...process.env, ...env } })
  const ended = once(child, 'exit')
  const failed = ended.then(() => Promise.reject(new Error('the service ended by itself')))
  failed.catch(() => {})
  try {
    const [places] = await Promise.race([once(child, 'message', { signal: stop }), failed])
    const { service, operations } = places as Places
    const urls = new Map(NAMES.map((name) => [name, `${service}/${name}/1`]))
    await offer({ rate, seconds: WARM, urls }, stop)
    const host = hosts[NAMES.indexOf(DEAD)]!
    host.dead = dead
    host.asked = 0
    const routes = await offer({ rate, seconds, urls }, stop)
    const answer = await fetch(`${operations}/ready`)
    const body = (await answer.json()) as Measured['ready']['body']
    return { routes, ready: { code: answer.status, body }, asked: host.asked }
  } finally {
    if (child.connected) child.disconnect()
    await ended
    await Promise.all(hosts.map((one) => one.close()))
  }
}

function tableOf({ routes }: Measured, page: Page): Lines {
  const cells = (name: string, ...columns: readonly string[]): string =>
    `  ${name.padEnd(10)}${columns.map((one) => one.padStart(13)).join('')}`
  return [
    page.paint('dim', `${cells('', 'offered', 'completed', 'half within', '99 % within')}    other answers`),
    ...[...routes].map(([name, served]) => {
      const { offered, statuses, waits } = served
      const others = [...statuses].filter(([status]) => status !== 200)
      const words = others.map(([status, count]) => `${count} × ${status || 'none'}`).join(', ')
      const share = (part: number): string => span(waits[Math.ceil(waits.length * part) - 1] ?? 0)
      return `${cells(name, String(offered), String(completed(served)), share(0.5), share(0.99))}    ${words}`.trimEnd()
    }),
  ]
}

const completed = ({ statuses }: Served): number => statuses.get(200) ?? 0

function check(control: Measured, troubled: Measured, seconds: number): readonly Promised[] {
  const [usual, left] = [control, troubled].map(
    ({ routes }) => OTHERS.reduce((sum, name) => sum + completed(routes.get(name)!), 0) / seconds,
  ) as [number, number]
  const share = left / usual
  const { offered, told, statuses } = troubled.routes.get(DEAD)!
  const { code, body } = troubled.ready
  const degraded = body.degraded.map(({ host }) => host).join(', ')
  return [
    {
      promise: `the other routes kept at least ${100 * KEPT} % of the control run's throughput`,
      kept: share >= KEPT,
      reason: `${OTHERS.join(' and ')} completed ${left.toFixed(1)} requests a second, ${usual.toFixed(1)} in the control run: ${(100 * share).toFixed(1)} %`,
    },
    {
      promise: 'all of its own were answered: by a 502 until its circuit was open, then by a 503 with Retry-After',
      kept: told > 0 && told + (statuses.get(502) ?? 0) === offered,
      reason: `${statuses.get(502) ?? 0} × 502 and ${told} × 503 of ${offered} for ${DEAD}; ${troubled.asked} reached it`,
    },
    {
      promise: 'the service stayed ready, and said what was degraded',
      kept: code === 200 && degraded === DEAD && control.ready.body.degraded.length === 0,
      reason: `${code}, ${degraded || 'nothing'}`,
    },
  ]
}
