// The board of the program: one circuit for the service, whichever client asks it.
import { createBoard, type Board } from '@fuseboard/core'
import type { Tell } from './events.ts'
import { biblePolicy, heedBans, type Tempo } from './policy.ts'

/** A board that guards the service at that host, and tells of its circuit. */
export function bibleBoard(host: string, tempo: Tempo, tell: Tell): Board {
  const board = createBoard({ hosts: { [host]: biblePolicy(tempo) } })
  heedBans(board, tempo)
  board.on('transition', ({ from, to, reason, message }) => tell({ event: 'transition', from, to, reason, message }))
  board.on('warning', ({ message }) => tell({ event: 'warning', message }))
  return board
}
