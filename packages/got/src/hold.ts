// Keeps what the wire says from got until it is known who answers.
import type { Reply } from '@fuseboard/core'
import type { Pass } from './overhear.ts'

/** @internal A stand-in that was asked for; undefined at once where there can be none. */
export type Asked = Promise<Reply | undefined> | undefined

/** @internal */
export class Hold {
  #events: Pass[] | undefined = undefined

  /**
   * Holds an event, and all that follow, while a stand-in is asked for.
   * @param replace is given the reply, which takes the place of what was held
   */
  until(asked: Promise<Reply | undefined>, pass: Pass, replace: (reply: Reply) => void): boolean {
    const held = (this.#events = [pass])
    const decide = (reply?: Reply): void => {
      if (this.#events !== held) return
      if (!reply) return this.end()
      this.#events = undefined
      replace(reply)
    }
    void asked.then(decide, () => decide())
    return true
  }

  /** Passes an event on, now or in its turn. */
  pass(pass: Pass): boolean {
    return this.#events ? this.#events.push(pass) > 0 : pass()
  }

  /** Passes on what is held: there is no stand-in, or nobody waits for it any more. */
  end(): void {
    const held = this.#events ?? []
    this.#events = undefined
    for (const pass of held) pass()
  }

  get active(): boolean {
    return this.#events !== undefined
  }
}
