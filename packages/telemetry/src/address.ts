// The host that a circuit's key names, as it may be shown to others.

/** @internal */
export interface Address {
  readonly host: string
  readonly port: number | undefined
}

/** No host's name is longer; a key may be any text. */
const LONGEST = 255

/**
 * @internal The host and port of a key. By default keys are just that; of one that a policy makes, whatever looks like a scheme,
 * credentials, a path or a query is left out, since it may tell of people.
 */
export function addressOf(key: string): Address {
  const bare = key.replace(/^[a-z][a-z\d+.-]*:\/\//i, '').replace(/[/?#\\].*$/s, '')
  const whole = bare.slice(bare.lastIndexOf('@') + 1)
  const [, host = whole, port] = /^(.*[^:]|\[.*\]):(\d{1,5})$/s.exec(whole) ?? []
  const plain = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  return {
    host: plain.slice(0, LONGEST).replaceAll(/\p{Surrogate}/gu, '?'),
    port: port === undefined ? undefined : Number(port),
  }
}
