// How an entry ended, as text that fits where there is little room.
import type { Ending } from './store.ts'

/** @internal How much of an error an engine keeps, where its room is limited, in characters. */
export const LONGEST_ERROR = 1_024

/** @internal Without the answer's body, then without its headers, where they do not fit: an ending must be kept, come what may. */
export function briefEnding(ending: Ending, room: number): string {
  const brief = ending.state === 'dead' ? { ...ending, error: ending.error.slice(0, LONGEST_ERROR) } : ending
  const { receipt } = brief
  if (receipt === undefined) return JSON.stringify(brief)
  const ever = [receipt, { ...receipt, body: '' }].map((one) => JSON.stringify({ ...brief, receipt: one }))
  return (
    ever.find((text) => Buffer.byteLength(text) <= room) ??
    JSON.stringify({ ...brief, receipt: { status: receipt.status, headers: [], body: '' } })
  )
}
