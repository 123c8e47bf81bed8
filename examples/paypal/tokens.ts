// The token that PayPal wants with each request: kept until it runs out, and asked for once by all who wait for it.
import type { AxiosInstance } from 'axios'

interface Token {
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly until: number
}

export class Tokens {
  readonly #http: AxiosInstance
  #kept: Token | undefined
  #coming: Promise<string> | undefined

  constructor(http: AxiosInstance) {
    this.#http = http
  }

  /**
   * @param renew PayPal has refused the one that is kept
   * @throws what axios throws: the token comes from the same host as all else, so it is refused while that one's circuit is open
   */
  async get(renew = false): Promise<string> {
    if (renew) this.#kept = undefined
    if (this.#kept !== undefined && Date.now() < this.#kept.until) return this.#kept.value
    this.#coming ??= this.#ask().finally(() => (this.#coming = undefined))
    return this.#coming
  }

  async #ask(): Promise<string> {
    const auth = { username: 'shop', password: 'secret' }
    const asked = this.#http.post<Given>('/v1/oauth2/token', 'grant_type=client_credentials', { auth })
    const { access_token: value, expires_in } = (await asked).data
    this.#kept = { value, until: Date.now() + expires_in * 1_000 }
    return value
  }
}

interface Given {
  readonly access_token: string
  readonly expires_in: number
}
