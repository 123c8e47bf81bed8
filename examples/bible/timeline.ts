// Shows to people what happens as it happens, and in the end what came of it.
import { cut, span, tenths } from '../format.ts'
import { Page, STAMP, type Lines, type Style } from '../page.ts'
import type { Choice } from './clients.ts'
import type { Call, Column, StoryEvent } from './events.ts'

type Named<Name extends StoryEvent['event']> = Extract<StoryEvent, { event: Name }>

export class Timeline {
  readonly #page: Page

  constructor(out: NodeJS.WriteStream) {
    this.#page = new Page(out)
  }

  tell(event: StoryEvent): void {
    if (event.event === 'transition') return this.#page.printChange(event)
    const lines = this.#show(event)
    if (lines.length > 0) this.#page.print(lines, { before: event.event === 'call' })
  }

  #show(event: Exclude<StoryEvent, Named<'transition'>>): Lines {
    switch (event.event) {
      case 'start':
        return this.#opening(event)
      case 'scene':
        return this.#page.scene(event.title)
      case 'service':
        return this.#page.note(event.outage === null ? '▲' : '▼', 'magenta', event.says)
      case 'pause':
        return this.#page.note('‖', ['bold', 'yellow'], `not asked until its window ends, in ${span(event.waitMs)}`)
      case 'warning':
        return this.#page.note('!', 'red', event.message)
      case 'call':
        return [this.#call(event)]
      case 'summary':
        return this.#table(event)
      case 'promise':
        return this.#page.promise(event)
      case 'end':
        return this.#page.end(event)
      case 'unguarded':
      default:
        return []
    }
  }

  #opening({ client, scale, seed, host, limitMs }: Named<'start'>): Lines {
    const pace =
      scale === 1 ? 'the pace of the real service' : `1:${scale}, so that its 30 s are ${span(30_000 / scale)} here`
    const key = (source: Call['source'], what: string): string =>
      `${this.#page.paint(STYLES[source], SIGNS[source])} ${what}`
    return [
      this.#page.paint('bold', 'Fuseboard: a verse survives an outage'),
      '',
      `  Service   ${host}, at ${pace}`,
      `  Clients   ${NAMES[client]}: one circuit for all they ask`,
      `  Patience  ${span(limitMs)} for an answer`,
      ...(seed === null ? [] : [`  Outages   shuffled by seed ${seed}`]),
      `  Signs     ${[
        key('network', 'from the network'),
        key('stored', 'a stored reply'),
        key('made', 'a made one'),
        key('refused', 'refused, with the wait'),
      ].join('   ')}`,
    ]
  }

  #call({ client, asked, source, text = '', ...call }: Named<'call'>): string {
    const came = `${SIGNS[source]} ${source.padEnd(9)}${when({ source, ...call }).padEnd(17)}${met(call).padEnd(11)}`
    const rest = this.#page.width - STAMP - 12 - 17 - came.length
    const words = cut(text, rest)
    const parts = [
      this.#page.paint('dim', client.padEnd(12)),
      asked.padEnd(17),
      this.#page.paint(STYLES[source], words === '' ? came.trimEnd() : came),
      words === '' ? '' : this.#page.paint('dim', words),
    ]
    return this.#page.stamp() + parts.join('')
  }

  #table({ guarded, unguarded, savedMs, scale }: Named<'summary'>): Lines {
    const row = (name: string, of: (column: Column) => string): string => cells(name, of(guarded), of(unguarded))
    const count = (name: string, of: keyof Column): string => row(name, (column) => String(column[of] || '–'))
    const bold = (line: string): string => this.#page.paint('bold', line)
    return [
      ...this.#page.heading('Summary'),
      this.#page.paint('dim', cells('', 'with Fuseboard', 'without')),
      count('calls', 'calls'),
      bold(count('answered', 'answered')),
      count('  from the network', 'network'),
      count('  stored', 'stored'),
      count('  made', 'made'),
      count('refused at once, with the wait', 'refused'),
      bold(count('failed', 'failed')),
      bold(count('requests that reached the dead service', 'reachedDead')),
      row('the longest wait of a caller', ({ longestMs }) => span(longestMs)),
      row('the waits of all callers', ({ waitedMs }) => span(waitedMs)),
      bold(cells('time saved', span(savedMs), '')),
      ...(scale === 1 ? [] : [cells('  at the pace of the real service', span(savedMs * scale), '')]),
    ]
  }
}

const SIGNS: Record<Call['source'], string> = { network: '●', stored: '◆', made: '◇', refused: '✕', failed: '✖' }
const STYLES: Record<Call['source'], Style> = {
  network: 'green',
  stored: 'cyan',
  made: 'yellow',
  refused: 'red',
  failed: 'red',
}

function when({ source, ageMs = 0, waitMs = 0, tookMs }: Pick<Call, 'source' | 'ageMs' | 'waitMs' | 'tookMs'>): string {
  if (source === 'stored') return `${tenths(ageMs)} ago`
  if (source === 'refused') return `retry in ${tenths(waitMs)}`
  return source === 'network' ? `in ${Math.round(tookMs)} ms` : ''
}

/** What a call met: an answer of the service, none, or a circuit that did not let it through. */
function met({ status, instead = String(status) }: Pick<Call, 'status' | 'instead'>): string {
  return /^\d+$/.test(instead) ? `got ${instead}` : (WORDS[instead] ?? instead)
}

const NAMES: Record<Choice, string> = {
  all: "axios, ky, got, undici's request, guardFetch and native fetch",
  axios: 'axios',
  ky: 'ky',
  got: 'got',
  undici: "undici's request",
  fetch: 'guardFetch and native fetch',
}

const WORDS: Record<string, string> = { TimeoutError: 'timed out', ECONNREFUSED: 'no server' }

function cells(name: string, left: string, right: string): string {
  return `  ${name.padEnd(44)}${left.padStart(16)}${right.padStart(16)}`.trimEnd()
}
