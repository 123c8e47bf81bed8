// The page on which a program shows what happens as it happens, and in the end what came of it.
import { styleText } from 'node:util'
import type { State } from '@fuseboard/core'
import type { Ending } from './entry.ts'
import { rule, tenths, wrap } from './format.ts'
import type { Promised } from './promised.ts'

export type Style = Parameters<typeof styleText>[0]
export type Lines = readonly string[]

/** A circuit has changed. */
export interface Change {
  readonly to: State
  readonly message: string
}

/** A page of 80 to 100 columns. It has colours only where the output is a terminal that wants them. */
export class Page {
  readonly width: number
  readonly #out: NodeJS.WriteStream
  readonly #startedAt = performance.now()
  readonly #held: Change[] = []
  #scenes = 0
  #promises = 0

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
    this.width = Math.min(Math.max(out.columns ?? 100, 80), 100)
  }

  heading(title: string): Lines {
    return ['', this.paint('bold', rule(title, this.width))]
  }

  /** A heading with the number of the scene. */
  scene(title: string): Lines {
    return this.heading(`${++this.#scenes}. ${title}`)
  }

  note(sign: string, style: Style, text: string): Lines {
    const [first, ...rest] = wrap(text, this.width - STAMP - 2)
    return [
      `${this.stamp()}${this.paint(style, `${sign} ${first}`)}`,
      ...rest.map((line) => `${''.padEnd(STAMP + 2)}${this.paint(style, line)}`),
    ]
  }

  promise({ promise, kept, reason }: Promised): Lines {
    const sign = kept ? this.paint('green', '✓') : this.paint('red', '✗')
    const [first, ...rest] = wrap(`${promise}: ${reason}`, this.width - 4)
    const lines = [`  ${sign} ${first}`, ...rest.map((line) => `    ${line}`)]
    return this.#promises++ === 0 ? [...this.heading('Promises'), ...lines] : lines
  }

  end({ status, says }: Ending): Lines {
    const style: Style = ['bold', status === 0 ? 'green' : 'red']
    return ['', ...wrap(says, this.width).map((line) => this.paint(style, line))]
  }

  /** Seconds since the beginning, in a column of {@link STAMP} characters. */
  stamp(): string {
    return this.paint('dim', `${tenths(performance.now() - this.#startedAt).padStart(STAMP - 2)}  `)
  }

  paint(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#out })
  }

  /** A circuit opens and closes before the call that made it do so has its answer: that is held back until the call was printed. */
  printChange(change: Change): void {
    if (change.to === 'half-open') this.print(this.#changed(change))
    else this.#held.push(change)
  }

  /** Prints what was held back, and these: before it where they are of a call that may have made a circuit change. */
  print(lines: Lines, { before = false }: { readonly before?: boolean } = {}): void {
    const held = this.#held.splice(0).flatMap((change) => this.#changed(change))
    this.printBare(before ? [...lines, ...held] : [...held, ...lines])
  }

  /** Prints only these, in the place of what a line of progress has left. */
  printBare(lines: Lines): void {
    this.#out.write(`${this.#out.isTTY ? '\r\u001B[K' : ''}${lines.join('\n')}\n`)
  }

  /** A line that the next one takes the place of, where the output is a terminal. */
  progress(text: string): void {
    if (this.#out.isTTY)
      this.#out.write(`\r\u001B[K${' '.repeat(STAMP)}${text.slice(0, this.#out.columns - STAMP - 1)}`)
  }

  // The time is that of the printing, so that no line is of an earlier one than the line before it.
  #changed({ to, message }: Change): Lines {
    return this.note(LAMPS[to] ?? '○', ['bold', to === 'closed' ? 'green' : 'yellow'], message)
  }
}

/** Columns of the time before a line. */
export const STAMP = 10
const LAMPS: Partial<Record<State, string>> = { closed: '●', 'half-open': '◐', open: '○' }
