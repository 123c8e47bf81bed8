// Shows to people what happens: a line for each event; and on a terminal, below them, the bars of what is under way.
import { inspect } from 'node:util'
import { span } from '../format.ts'
import { Page, type Lines, type Style } from '../page.ts'
import type { Result } from './download.ts'
import type { Progress, Row, Step, StoryEvent } from './events.ts'

type Failed = Extract<Result, { status: 'failed' }>
type Named<Name extends StoryEvent['event']> = Extract<StoryEvent, { event: Name }>

export class Screen {
  readonly #page: Page
  readonly #underWay = new Map<string, Progress>()
  #drawnAt = 0

  constructor(out: NodeJS.WriteStream) {
    this.#page = new Page(out)
  }

  tell(event: StoryEvent): void {
    if (event.event === 'progress') return this.#progress(event)
    if (event.event === 'transition') return this.#page.printChange(event)
    const lines = this.#show(event)
    if (event.event !== 'step') return this.#page.print(lines)
    this.#underWay.delete(event.film)
    if (event.kind === 'refused') this.#page.printBare(lines)
    else this.#page.print(lines, { before: true })
  }

  #show(event: Exclude<StoryEvent, Named<'progress' | 'transition'>>): Lines {
    switch (event.event) {
      case 'start':
        return this.#opening(event)
      case 'scene':
        return this.#page.scene(event.title)
      case 'note':
        return this.#page.note(event.well ? '▲' : '▼', 'magenta', event.says)
      case 'step':
        return this.#step(event)
      case 'summary':
        return this.#table(event)
      case 'promise':
        return this.#page.promise(event)
      case 'end':
        return this.#page.end(event)
    }
  }

  #opening({ host, platform, scale, seed, openForMs, silenceMs }: Named<'start'>): Lines {
    const pace =
      scale === 1
        ? 'the pace of the policy'
        : `1:${scale}, so that its 120 s are ${span(openForMs)} here; a connection may be silent for ${span(silenceMs)}`
    return [
      this.#page.paint('bold', 'Fuseboard: a download ends cleanly, and goes on later'),
      '',
      `  Server    ${host}, through got and undici; ${platform} for a child process`,
      `  Circuit   opens after 3 failures in a row, for 120 s`,
      `  Pace      ${pace}`,
      `  Seed      ${seed}: where bodies break, in which order, and which film changes`,
    ]
  }

  #step({ film, by, kind, says, result, ...progress }: Named<'step'>): Lines {
    const line = `${film.padEnd(14)} ${bar(progress, 16)}  ${by.padEnd(7)} ${this.#page.paint(STYLES[kind], says)}`
    return [`${this.#page.stamp()}${line}`, ...(result?.status === 'failed' ? this.#answer(result) : [])]
  }

  #answer({ status, retry_later, retry_at }: Failed): Lines {
    return this.#page.note('→', 'dim', inspect({ status, retry_later, retry_at }, { breakLength: Infinity }))
  }

  #table({ rows }: Named<'summary'>): Lines {
    return [
      ...this.#page.heading('Summary'),
      this.#page.paint('dim', cells('', 'bytes', 'resumed', 'fetched twice', 'SHA-256')),
      ...rows.map(({ film, bytes, resumed, twice, hashOk }: Row) =>
        cells(film, number(bytes), String(resumed || '–'), twice === 0 ? '–' : number(twice), hashOk ? 'ok' : 'WRONG'),
      ),
    ]
  }

  #progress(event: Named<'progress'>): void {
    this.#underWay.set(event.film, event)
    if (performance.now() - this.#drawnAt < FRAME) return
    this.#drawnAt = performance.now()
    this.#page.progress([...this.#underWay.values()].map((one) => `${one.film} ${bar(one, 16)}`).join('  '))
  }
}

/** Milliseconds between two pictures of a bar. */
const FRAME = 40
const STYLES: Record<Step['kind'], Style> = { good: 'green', failed: 'red', refused: 'yellow' }

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
