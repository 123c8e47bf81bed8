// Keeps count of what the board did about the server of films, so that the end can be compared with the server's own record.
import type { Board } from '@fuseboard/core'
import type { VideoServer } from './server.ts'

export class Tally {
  /** How many failures in a row opened the circuit, each time that it opened. */
  readonly streaks: number[] = []
  /** Good answers whose bodies broke off, each of which became a failure. */
  amended = 0
  /** Calls that were refused. */
  refused = 0
  /** Requests that reached the server while the circuit was open. */
  reached = 0
  #openSince: number | undefined

  constructor(board: Board, { host, asked }: VideoServer) {
    board.on('transition', ({ key, to, reason, evidence }) => {
      if (key !== host) return
      if (this.#openSince !== undefined) this.reached += asked.length - this.#openSince
      this.#openSince = to === 'open' ? asked.length : undefined
      if (reason === 'consecutive-failures') this.streaks.push(evidence.streak)
    })
    board.on('settled', ({ key, amended, verdict }) => {
      if (key === host && amended && verdict === 'failure') this.amended++
    })
    board.on('refused', ({ key }) => {
      if (key === host) this.refused++
    })
  }
}
