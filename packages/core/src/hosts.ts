// Which policy a host has: `host:port`, host, the nearest wildcard, the board's own.
import { ask } from './ask.ts'
import { show } from './duration.ts'
import { hostOf } from './host.ts'
import { checkObject } from './check.ts'
import { forcedMode, lesser } from './environment.ts'
import { readPolicy, type Hosts, type Policy, type Rules } from './policy.ts'

/** A host that the options of a board name. */
export interface NamedHost {
  /** As it stands in `hosts`: a host, `host:port` or a `*.wildcard`. */
  readonly name: string
  /** What its circuits are called by people and in metrics; undefined where there may be several, each called by its own key. */
  readonly label: string | undefined
}

/** @internal The rules of every host of a board; `false` where it is left unguarded. */
export class HostRules {
  /** Whether any of them has a fallback. What a function will answer nobody knows. */
  replaces = false
  readonly #own: Policy
  readonly #ownRules: Rules
  readonly #named = new Map<string, Rules | false>()
  /** As they were given, to be patched. */
  readonly #policies = new Map<string, Policy>()
  readonly #forced: ReturnType<typeof forcedMode>
  readonly #ask: ((host: string) => Policy | false | undefined) | undefined
  readonly #asked = new WeakMap<Policy, Rules>()
  readonly #warn: (code: string, message: string) => void

  /** @throws TypeError or RangeError where a policy is wrong */
  constructor(own: Policy, hosts: Hosts | undefined, warn: (code: string, message: string) => void) {
    this.#own = own
    this.#warn = warn
    this.#forced = forcedMode(warn)
    this.#ownRules = this.read(own, '')
    if (typeof hosts === 'function') {
      this.#ask = hosts
      this.replaces = true
    } else if (hosts !== undefined) this.#name(hosts)
  }

  of(host: string): Rules | false {
    const name = this.#nameOf(host)
    return name === undefined ? this.#unnamed(host) : (this.#named.get(name) as Rules | false)
  }

  /** The nearest name that a host goes by. */
  #nameOf(host: string): string | undefined {
    if (this.#named.size === 0) return undefined
    if (this.#named.has(host)) return host
    const bare = withoutPort(host)
    return this.#named.has(bare) ? bare : this.#wildcard(bare)
  }

  #unnamed(host: string): Rules | false {
    return this.#ask === undefined ? this.#ownRules : this.#answered(this.#ask, host)
  }

  /**
   * Lays a patch over the policy of a host, or of a wildcard.
   * @returns its rules of before, if it was named, and of now
   * @throws TypeError or RangeError where the name or an option is wrong: then nothing has changed
   */
  configure(name: string, patch: Policy): { before: Rules | false | undefined; now: Rules } {
    const where = placeOf(name)
    checkObject(patch, where)
    const before = this.#named.get(name)
    const nearest = this.#nameOf(name)
    const given = nearest === undefined ? this.#answer(name) : this.#policies.get(nearest)
    const policy = { ...given, ...patch }
    const now = this.over(policy, where)
    this.#policies.set(name, policy)
    this.#named.set(name, now)
    return { before, now }
  }

  /** What a function of hosts says of one; nothing where it fails. */
  #answer(host: string): Policy | undefined {
    const said =
      this.#ask &&
      ask(
        () => this.#ask?.(host),
        (policy) => policy as Policy | false | undefined,
        () => {},
      )
    return said || undefined
  }

  /** Whether `hosts` names it, by itself or by a wildcard. */
  names(host: string): boolean {
    if (this.#ask !== undefined) return this.#answered(this.#ask, host) !== this.#ownRules
    return this.#nameOf(host) !== undefined
  }

  /** The hosts that are named one by one, and have one circuit each. */
  named(): readonly string[] {
    return [...this.#named].filter(([name, rules]) => rules !== false && isOne(name, rules)).map(([name]) => name)
  }

  /** All that are named and guarded, with what their circuits are called. */
  list(): readonly NamedHost[] {
    return [...this.#named].flatMap(([name, rules]) =>
      rules === false ? [] : [{ name, label: rules.label ?? (isOne(name, rules) ? name : undefined) }],
    )
  }

  /** Rules over the board's own. */
  over(policy: Policy, where: string): Rules {
    const given = Object.fromEntries(Object.entries(policy).filter(([, value]) => value !== undefined)) as Policy
    return this.read({ ...this.#own, ...given }, where)
  }

  read(policy: Policy, where: string): Rules {
    const rules = readPolicy(policy, where, (message) => this.#warn('openFor', message))
    if (rules.fallbacks.length > 0) this.replaces = true
    return this.#forced === undefined ? rules : { ...rules, mode: lesser(rules.mode, this.#forced) }
  }

  #name(hosts: Readonly<Record<string, Policy | false>>): void {
    checkObject(hosts, 'hosts')
    for (const [name, policy] of Object.entries(hosts)) {
      const where = placeOf(name)
      if (policy === false) this.#named.set(name, false)
      else {
        checkObject(policy, where)
        this.#policies.set(name, policy)
        this.#named.set(name, this.over(policy, where))
      }
    }
  }

  #wildcard(host: string): string | undefined {
    for (let dot = host.indexOf('.'); dot !== -1; dot = host.indexOf('.', dot + 1)) {
      const name = `*${host.slice(dot)}`
      if (this.#named.has(name)) return name
    }
    return undefined
  }

  #answered(named: (host: string) => Policy | false | undefined, host: string): Rules | false {
    const where = `hosts(${show(host)})`
    const read = (policy: unknown): Rules | false => {
      if (policy === undefined || policy === false) return policy ?? this.#ownRules
      checkObject(policy, where)
      let rules = this.#asked.get(policy as Policy)
      if (rules === undefined) this.#asked.set(policy as Policy, (rules = this.over(policy as Policy, where)))
      return rules
    }
    const failed = (why: string): void =>
      this.#warn('hosts', `hosts failed for ${host}, which has the board's own policy now: ${why}`)
    return ask(() => named(host), read, failed) ?? this.#ownRules
  }
}

/** Whether it has one circuit, whose key is its name. */
const isOne = (name: string, rules: Rules): boolean => !name.startsWith('*.') && rules.key === undefined

const withoutPort = (host: string): string => host.replace(/:\d+$/, '')

/** Where the policy of a name stands. @throws TypeError where it is no name of hosts */
function placeOf(name: unknown): string {
  const shown = show(name)
  if (typeof name === 'string' && isName(name)) return `hosts[${shown}]`
  throw new TypeError(`hosts[${shown}] must be a host, host:port or *.wildcard in lower case, got ${shown}`)
}

/** Whether requests are known by that name: as the URL standard writes hosts, with the port of one of the two schemes. */
function isName(name: string): boolean {
  if (name.startsWith('*.')) return !/:\d+$/.test(name) && isName(name.slice(2))
  return !name.includes('*') && ['http', 'https'].some((scheme) => hostOf(`${scheme}://${name}`) === name)
}
