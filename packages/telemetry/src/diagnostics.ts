// What a board tells, on channels of node:diagnostics_channel: for tools that cannot be handed the board.
import type { Board, BoardEvents } from '@fuseboard/core'
import { checkBoard, checkOptions, show } from './checks.ts'
import { stopOf, type Stop } from './stop.ts'

export type { Stop } from './stop.ts'

/**
 * The channels and what is published on them: the events of the board as they are.
 *
 * @example
 * subscribe('fuseboard:transition', (message) => {
 *   const { label, to } = message as Channels['fuseboard:transition']
 * })
 */
export type Channels = { readonly [Name in keyof BoardEvents as `fuseboard:${Name}`]: BoardEvents[Name] }

/** Which of the dear channels are fed. */
export interface DiagnosticsOptions {
  /** Every refused call. @default whether the channel has a subscriber when `diagnostics` is called */
  refused?: boolean
  /** Every call: it makes each dearer. @default whether the channel has a subscriber when `diagnostics` is called */
  settled?: boolean
  /** Warnings, which then go to the console no more. @default whether the channel has a subscriber when `diagnostics` is called */
  warning?: boolean
}

/**
 * Publishes the events of a board on `fuseboard:transition`, `fuseboard:refused`, `fuseboard:settled`, `fuseboard:fallback`,
 * `fuseboard:store` and `fuseboard:warning`. Where there is no `node:diagnostics_channel` it does nothing. An error that a
 * subscriber throws is an uncaught exception of the process: Node has it so for every channel.
 *
 * @returns what takes it away again
 * @throws TypeError where the board or an option is wrong
 */
export function diagnostics(board: Board, options: DiagnosticsOptions = {}): Stop {
  checkBoard('diagnostics', board)
  checkOptions('diagnostics', options, DEAR)
  for (const name of DEAR) {
    const wanted: unknown = options[name]
    if (wanted !== undefined && typeof wanted !== 'boolean')
      throw new TypeError(`diagnostics.${name} must be true or false, got ${show(wanted)}`)
  }
  const channels = (globalThis.process as Partial<NodeJS.Process> | undefined)?.getBuiltinModule?.(
    'node:diagnostics_channel',
  )
  if (channels === undefined) return stopOf(() => {})

  const feed = (name: keyof BoardEvents): (() => void) => {
    const channel = channels.channel(`fuseboard:${name}`)
    return board.on(name, (event: unknown) => {
      if (channel.hasSubscribers) channel.publish(event)
    })
  }
  const wanted = DEAR.filter((name) => options[name] ?? channels.hasSubscribers(`fuseboard:${name}`))
  const stops = [...CHEAP, ...wanted].map((name) => feed(name))
  return stopOf(() => {
    for (const stop of stops) stop()
  })
}

const CHEAP = ['transition', 'fallback', 'store'] as const
const DEAR = ['refused', 'settled', 'warning'] as const
