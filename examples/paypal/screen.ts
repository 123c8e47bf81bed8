// Shows to people what happens: who is answered what, how many wait, and what goes out.
import { span } from '../format.ts'
import { Page, STAMP, type Lines, type Style } from '../page.ts'
import type { StoryEvent } from './events.ts'

type Named<Name extends StoryEvent['event']> = Extract<StoryEvent, { event: Name }>

export class Screen {
  readonly #page: Page

  constructor(out: NodeJS.WriteStream) {
    this.#page = new Page(out)
  }

  tell(event: StoryEvent): void {
    if (event.event === 'transition') return this.#page.printChange(event)
    this.#page.print(this.#show(event), { before: event.event === 'answer' })
  }

  #show(event: Exclude<StoryEvent, Named<'transition'>>): Lines {
    switch (event.event) {
      case 'start':
        return this.#opening(event)
      case 'scene':
        return this.#page.scene(event.title)
      case 'note':
        return this.#page.note(event.well ? '▲' : '▼', 'magenta', event.says)
      case 'alert':
        return this.#page.note('✉', 'cyan', `to the admin: ${event.text}`)
      case 'answer':
        return [this.#answer(event)]
      case 'sent':
        return [this.#line('sent', event, `${event.id}${event.known ? ', made before and not again' : ''}`)]
      case 'again':
        return [this.#line('again', event, event.why)]
      case 'summary':
        return this.#table(event)
      case 'promise':
        return this.#page.promise(event)
      case 'end':
        return this.#page.end(event)
    }
  }

  #opening({ host, admin, scale, seed, openForMs, limitMs }: Named<'start'>): Lines {
    const pace = scale === 1 ? 'the pace of the policy' : `1:${scale}, so that its 60 s are ${span(openForMs)} here`
    const signs = KINDS.map((kind) => `${this.#page.paint(STYLES[kind], SIGNS[kind])} ${MEANING[kind]}`).join('   ')
    return [
      this.#page.paint('bold', 'Fuseboard: a subscription waits for PayPal, and is made once'),
      '',
      `  PayPal    a local one at ${host}: tokens, subscriptions, PayPal-Request-Id`,
      `  Shop      axios, ${span(limitMs)} for an answer; what PayPal cannot take waits in SQLite`,
      `  Circuit   opens after 5 failures in a row, for 60 s`,
      `  Admin     gets signed alerts at ${admin}`,
      `  Pace      ${pace}`,
      `  Seed      ${seed}: in which order PayPal fails, and who clicks twice`,
      `  Signs     ${signs}`,
    ]
  }

  #answer(event: Named<'answer'>): string {
    const { answer } = event
    return this.#line(answer.status, event, answer.status === 'subscribed' ? answer.id : answer.why)
  }

  #line(kind: keyof typeof STYLES, { customer, waiting }: { customer: string; waiting: number }, says: string): string {
    const depth = waiting === 0 ? '' : `${waiting} waiting`
    const left = `${customer.padEnd(13)}${SIGNS[kind]} ${kind.padEnd(12)}${says}`
    const gap = Math.max(this.#page.width - STAMP - left.length - depth.length, 2)
    return `${this.#page.stamp()}${this.#page.paint(STYLES[kind], left)}${' '.repeat(gap)}${this.#page.paint('dim', depth)}`.trimEnd()
  }

  #table(summary: Named<'summary'>): Lines {
    const { customers, subscribed, pended, sent, pending, known, conflicts, twice, lost } = summary
    const row = (name: string, count: number): string => `  ${name.padEnd(52)}${String(count).padStart(6)}`
    return [
      ...this.#page.heading('Summary'),
      row('customers', customers),
      row('  told "subscribed", at the first click or the second', subscribed),
      row('  told "pending" for what waits in the outbox', pended),
      row('sent from the outbox', sent),
      row('pending in the outbox', pending),
      row('duplicates refused by PayPal', known + conflicts),
      row('  known by their key, also where no answer came', known),
      row('  409, since the same one was under way', conflicts),
      row('subscriptions made twice', twice),
      this.#page.paint('bold', row('subscriptions lost', lost)),
    ]
  }
}

const SIGNS = { subscribed: '●', pending: '◇', sent: '↑', again: '↻' }
const KINDS = ['subscribed', 'pending', 'sent', 'again'] as const
const MEANING: Record<keyof typeof SIGNS, string> = {
  subscribed: 'at once',
  pending: 'it waits',
  sent: 'from the outbox',
  again: 'in vain, later again',
}
const STYLES: Record<keyof typeof SIGNS, Style> = { subscribed: 'green', pending: 'yellow', sent: 'cyan', again: 'red' }
