// The head of an answer, as a board reads it.
import { header, type AnswerHead } from '@fuseboard/core'
import type { AxiosResponse } from 'axios'
import { pairsOf } from './request.ts'

/** @internal Its headers are read only where they are needed. */
export class Head implements AnswerHead {
  readonly status: number
  readonly redirected: boolean
  readonly #response: AxiosResponse
  readonly #web: boolean

  constructor(response: AxiosResponse, redirected: boolean, web: boolean) {
    this.status = response.status
    this.redirected = redirected
    this.#response = response
    this.#web = web
  }

  get statusText(): string {
    return this.#response.statusText
  }

  get headers(): [string, string][] {
    const pairs = pairsOf(this.#response.headers)
    // The http adapter leaves the length that a body had before it unpacked it.
    const unsure = !this.#web && header(pairs, 'content-encoding') === undefined
    return unsure ? pairs.filter(([name]) => name.toLowerCase() !== 'content-length') : pairs
  }

  /** What the http adapter unpacks has no encoding any more, and what fetch does has it still. */
  get decoded(): boolean {
    return this.#web || header(this.headers, 'content-encoding') === undefined
  }
}
