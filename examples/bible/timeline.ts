// Shows to people what happens as it happens, and in the end what came of it.
import { styleText } from 'node:util'
import type { Choice } from './clients.ts'
import type { Call, Column, StoryEvent } from './events.ts'
import { cut, rule, span, tenths, wrap } from './format.ts'

type Style = Parameters<typeof styleText>[0]
type Named<Name extends StoryEvent['event']> = Extract<StoryEvent, { event: Name }>

/** A timeline of 80 to 100 columns. It has colours only where the output is a terminal that wants them. */
export class Timeline {
  readonly #out: NodeJS.WriteStream
  readonly #width: number
  readonly #startedAt = performance.now()
  #scenes = 0
  #promises = 0
  readonly #held: StoryEvent[] = []

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.#width = Math.min(Math.max(out.columns ?? 100, 80), 100)
  }

  tell(event: StoryEvent): void {
    // A circuit opens and closes before the call that made it do so has its answer. The call is to be read first.
    if (event.event === 'transition' && event.to !== 'half-open') return void this.#held.push(event)
    const lines = this.#show(event)
    // Shown when they are told, so that no line is of an earlier time than the one before it.
    if (lines.length > 0) {
      const held = this.#held.splice(0).flatMap((one) => this.#show(one))
      this.#print(event.event === 'call' ? [...lines, ...held] : [...held, ...lines])
    }
  }

  #show(event: StoryEvent): readonly string[] {
    switch (event.event) {
      case 'start':
        return this.#opening(event)
      case 'scene':
        return this.#heading(`${++this.#scenes}. ${event.title}`)
      case 'service':
        return this.#note(event.outage === null ? '▲' : '▼', 'magenta', event.says)
      case 'transition':
        return this.#note(LAMPS[event.to] ?? '○', ['bold', event.to === 'closed' ? 'green' : 'yellow'], event.message)
      case 'pause':
        return this.#note('‖', ['bold', 'yellow'], `not asked until its window ends, in ${span(event.waitMs)}`)
      case 'warning':
        return this.#note('!', 'red', event.message)
      case 'call':
        return [this.#call(event)]
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
      case 'unguarded':
      default:
        return []
    }
  }

  #opening({ client, scale, seed, host, limitMs }: Named<'start'>): readonly string[] {
    const pace =
      scale === 1 ? 'the pace of the real service' : `1:${scale}, so that its 30 s are ${span(30_000 / scale)} here`
    const key = (source: Call['source'], what: string): string =>
      `${this.#paint(STYLES[source], SIGNS[source])} ${what}`
    return [
      this.#paint('bold', 'Fuseboard: a verse survives an outage'),
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
    const rest = this.#width - STAMP - 12 - 17 - came.length
    const words = cut(text, rest)
    const parts = [
      this.#paint('dim', client.padEnd(12)),
      asked.padEnd(17),
      this.#paint(STYLES[source], words === '' ? came.trimEnd() : came),
      words === '' ? '' : this.#paint('dim', words),
    ]
    return this.#stamp() + parts.join('')
  }

  #note(sign: string, style: Style, text: string): readonly string[] {
    const [first, ...rest] = wrap(text, this.#width - STAMP - 2)
    return [
      `${this.#stamp()}${this.#paint(style, `${sign} ${first}`)}`,
      ...rest.map((line) => `${''.padEnd(STAMP + 2)}${this.#paint(style, line)}`),
    ]
  }

  #table({ guarded, unguarded, savedMs, scale }: Named<'summary'>): readonly string[] {
    const row = (name: string, of: (column: Column) => string): string => cells(name, of(guarded), of(unguarded))
    const count = (name: string, of: keyof Column): string => row(name, (column) => String(column[of] || '–'))
    const bold = (line: string): string => this.#paint('bold', line)
    return [
      ...this.#heading('Summary'),
      this.#paint('dim', cells('', 'with Fuseboard', 'without')),
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

  #print(lines: readonly string[]): void {
    this.#out.write(`${lines.join('\n')}\n`)
  }
}

const STAMP = 10
const LAMPS: Record<string, string> = { closed: '●', 'half-open': '◐', open: '○' }
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
