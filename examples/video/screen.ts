// Shows to people what happens: a line for each event; and on a terminal, below them, the bars of what is under way.
import { inspect, styleText } from 'node:util'
import { rule, span, tenths, wrap } from '../bible/format.ts'
import type { Result } from './download.ts'
import type { Progress, Row, Step, StoryEvent } from './events.ts'

type Style = Parameters<typeof styleText>[0]
type Failed = Extract<Result, { status: 'failed' }>
type Named<Name extends StoryEvent['event']> = Extract<StoryEvent, { event: Name }>

export class Screen {
  readonly #out: NodeJS.WriteStream
  readonly #width: number
  readonly #startedAt = performance.now()
  readonly #underWay = new Map<string, Progress>()
  #scenes = 0
  #promises = 0
  #drawnAt = 0
  readonly #held: Named<'transition'>[] = []

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.#width = Math.min(Math.max(out.columns ?? 100, 80), 100)
  }

  tell(event: StoryEvent): void {
    if (event.event === 'progress') return this.#progress(event)
    // A circuit opens and closes before the call that made it do so has its answer. The call is to be read first.
    if (event.event === 'transition' && event.to !== 'half-open') return void this.#held.push(event)
    const lines = this.#show(event)
    if (event.event === 'step') {
      this.#underWay.delete(event.film)
      if (event.kind === 'refused') return this.#print(lines)
    }
    const held = this.#held.splice(0).flatMap((one) => this.#show(one))
    this.#print(event.event === 'step' ? [...lines, ...held] : [...held, ...lines])
  }

  #show(event: Exclude<StoryEvent, { event: 'progress' }>): readonly string[] {
    switch (event.event) {
      case 'start':
        return this.#opening(event)
      case 'scene':
        return this.#heading(`${++this.#scenes}. ${event.title}`)
      case 'note':
        return this.#note(event.well ? '▲' : '▼', 'magenta', event.says)
      case 'transition':
        return this.#note(LAMPS[event.to] ?? '○', ['bold', event.to === 'closed' ? 'green' : 'yellow'], event.message)
      case 'step':
        return this.#step(event)
      case 'summary':
        return this.#table(event)
      case 'promise':
        return [...(this.#promises++ === 0 ? this.#heading('Promises') : []), ...this.#promise(event)]
      case 'end':
        return [
          '',
          ...wrap(event.says, this.#width).map((line) =>
            this.#paint(['bold', event.status === 0 ? 'green' : 'red'], line),
          ),
        ]
    }
  }

  #opening({ host, platform, scale, seed, openForMs, silenceMs }: Named<'start'>): readonly string[] {
    const pace =
      scale === 1
        ? 'the pace of the policy'
        : `1:${scale}, so that its 120 s are ${span(openForMs)} here; a connection may be silent for ${span(silenceMs)}`
    return [
      this.#paint('bold', 'Fuseboard: a download ends cleanly, and goes on later'),
      '',
      `  Server    ${host}, through got and undici; ${platform} for a child process`,
      `  Circuit   opens after 3 failures in a row, for 120 s`,
      `  Pace      ${pace}`,
      `  Seed      ${seed}: where bodies break, in which order, and which film changes`,
    ]
  }

  #step({ film, by, kind, says, result, ...progress }: Named<'step'>): readonly string[] {
    const line = `${film.padEnd(14)} ${bar(progress, 16)}  ${by.padEnd(7)} ${this.#paint(STYLES[kind], says)}`
    return [`${this.#stamp()}${line}`, ...(result?.status === 'failed' ? this.#answer(result) : [])]
  }

  #answer({ status, retry_later, retry_at }: Failed): readonly string[] {
    return this.#note('→', 'dim', inspect({ status, retry_later, retry_at }, { breakLength: Infinity }))
  }

  #note(sign: string, style: Style, text: string): readonly string[] {
    const [first, ...rest] = wrap(text, this.#width - STAMP - 2)
    return [
      `${this.#stamp()}${this.#paint(style, `${sign} ${first}`)}`,
      ...rest.map((line) => `${''.padEnd(STAMP + 2)}${this.#paint(style, line)}`),
    ]
  }

  #table({ rows }: Named<'summary'>): readonly string[] {
    return [
      ...this.#heading('Summary'),
      this.#paint('dim', cells('', 'bytes', 'resumed', 'fetched twice', 'SHA-256')),
      ...rows.map(({ film, bytes, resumed, twice, hashOk }: Row) =>
        cells(film, number(bytes), String(resumed || '–'), twice === 0 ? '–' : number(twice), hashOk ? 'ok' : 'WRONG'),
      ),
    ]
  }

  #promise({ promise, kept, reason }: Named<'promise'>): readonly string[] {
    const sign = kept ? this.#paint('green', '✓') : this.#paint('red', '✗')
    const [first, ...rest] = wrap(`${promise}: ${reason}`, this.#width - 4)
    return [`  ${sign} ${first}`, ...rest.map((line) => `    ${line}`)]
  }

  #heading(title: string): readonly string[] {
    return ['', this.#paint('bold', rule(title, this.#width))]
  }

  #stamp(): string {
    return this.#paint('dim', `${tenths(performance.now() - this.#startedAt).padStart(STAMP - 2)}  `)
  }

  #paint(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#out })
  }

  #progress(event: Named<'progress'>): void {
    this.#underWay.set(event.film, event)
    if (!this.#out.isTTY || performance.now() - this.#drawnAt < FRAME) return
    this.#drawnAt = performance.now()
    const bars = [...this.#underWay.values()].map((one) => `${one.film} ${bar(one, 16)}`).join('  ')
    this.#out.write(`\r\u001B[K${' '.repeat(STAMP)}${bars.slice(0, this.#out.columns - STAMP - 1)}`)
  }

  #print(lines: readonly string[]): void {
    this.#out.write(`${this.#out.isTTY ? '\r\u001B[K' : ''}${lines.join('\n')}\n`)
  }
}

/** Milliseconds between two pictures of a bar. */
const FRAME = 40
const STAMP = 10
const STYLES: Record<Step['kind'], Style> = { good: 'green', failed: 'red', refused: 'yellow' }
const LAMPS: Record<string, string> = { closed: '●', 'half-open': '◐', open: '○' }

/** `[######··············]  30 %` */
function bar({ have, size }: Pick<Progress, 'have' | 'size'>, width: number): string {
  const share = size ? have / size : 0
  const percent = size === undefined ? '–' : `${Math.floor(share * 100)}`
  return `[${'#'.repeat(Math.floor(share * width)).padEnd(width, '·')}] ${percent.padStart(3)} %`
}

function cells(film: string, ...columns: readonly string[]): string {
  return `  ${film.padEnd(16)}${columns.map((one) => one.padStart(15)).join('')}`
}

const number = (value: number): string => value.toLocaleString('en')
