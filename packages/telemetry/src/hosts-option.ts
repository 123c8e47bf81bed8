// How many hosts an exporter tells apart.
import { show } from './checks.ts'
import { MOST_HOSTS } from './ledger.ts'

/** @internal @throws RangeError where it is no such number */
export function readHosts(who: string, hosts: unknown = 100): number {
  if (Number.isInteger(hosts) && (hosts as number) >= 1 && (hosts as number) <= MOST_HOSTS) return hosts as number
  throw new RangeError(`${who}.hosts must be a whole number from 1 to ${MOST_HOSTS}, got ${show(hosts)}`)
}
