// Which policy a host has: `host:port`, host, the nearest wildcard, the board's own.
import { show } from './duration.ts'
import { Check, readPolicy, type Hosts, type Policy, type Rules } from './policy.ts'

/** @internal The rules of every host of a board; `false` where it is left unguarded. */
export class HostRules {
  readonly #own: Policy
  readonly #ownRules: Rules
  readonly #named = new Map<string, Rules | false>()
  readonly #ask: ((host: string) => Policy | false | undefined) | undefined
  readonly #asked = new WeakMap<Policy, Rules>()
  readonly #warn: (code: string, message: string) => void

  /** @throws TypeError or RangeError where a policy is wrong */
  constructor(own: Policy, hosts: Hosts | undefined, warn: (code: string, message: string) => void) {
    this.#own = own
    this.#warn = warn
    this.#ownRules = this.read(own, '')
    if (typeof hosts === 'function') this.#ask = hosts
    else if (hosts !== undefined) this.#name(hosts)
  }

  of(host: string): Rules | false {
    if (this.#ask !== undefined) return this.#answered(this.#ask, host)
    if (this.#named.size === 0) return this.#ownRules
    return (
      this.#named.get(host) ?? this.#named.get(withoutPort(host)) ?? this.#wildcard(withoutPort(host)) ?? this.#ownRules
    )
  }

  /** Whether `hosts` names it, by itself or by a wildcard. */
  names(host: string): boolean {
    if (this.#ask !== undefined) return this.#answered(this.#ask, host) !== this.#ownRules
    return (
      [host, withoutPort(host)].some((name) => this.#named.has(name)) || this.#wildcard(withoutPort(host)) !== undefined
    )
  }

  /** Rules over the board's own. */
  over(policy: Policy, where: string): Rules {
    return this.read({ ...this.#own, ...policy }, where)
  }

  read(policy: Policy, where: string): Rules {
    return readPolicy(policy, where, (message) => this.#warn('openFor', message))
  }

  #name(hosts: Readonly<Record<string, Policy | false>>): void {
    new Check('').object(hosts, 'hosts')
    for (const [name, policy] of Object.entries(hosts)) {
      const where = `hosts[${show(name)}]`
      if (name !== nameOf(name))
        throw new TypeError(`${where} must be a host, host:port or *.wildcard in lower case, got ${show(name)}`)
      if (policy === false) this.#named.set(name, false)
      else {
        new Check('').object(policy, where)
        this.#named.set(name, this.over(policy, where))
      }
    }
  }

  #wildcard(host: string): Rules | false | undefined {
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const rules = this.#named.get(`*${host.slice(dot)}`)
      if (rules !== undefined) return rules
    }
    return undefined
  }

  #answered(ask: (host: string) => Policy | false | undefined, host: string): Rules | false {
    try {
      const policy = ask(host)
      if (policy === undefined || policy === false) return policy ?? this.#ownRules
      let rules = this.#asked.get(policy)
      if (rules === undefined) this.#asked.set(policy, (rules = this.over(policy, `hosts(${show(host)})`)))
      return rules
    } catch (error) {
      this.#warn('hosts', `hosts failed for ${host}, which has the board's own policy now: ${String(error)}`)
      return this.#ownRules
    }
  }
}

const withoutPort = (host: string): string => host.replace(/:\d+$/, '')

function nameOf(name: string): string | undefined {
  const bare = name.startsWith('*.') ? name.slice(2) : name
  return bare === '' || /[/@?#\s*]/.test(bare) || bare.endsWith('.') ? undefined : name.toLowerCase()
}
