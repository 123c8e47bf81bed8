// The ready-made axios: all that the real one has, and `use`.
import real, { type AxiosStatic } from 'axios'
import { pluggable, type Pluggable } from './pluggable.ts'

/**
 * An axios of its own, with `use`. What is put on it touches no other axios.
 *
 * @example
 * import axios, { breaker } from '@fuseboard/axios'
 * axios.use(breaker())
 */
export const axios: Pluggable<AxiosStatic> = make()

/** Makes an instance from that axios. */
export const create: Pluggable<AxiosStatic>['create'] = axios.create

function make(): Pluggable<AxiosStatic> {
  const own = pluggable(real.create())
  for (const [name, value] of Object.entries(real)) if (!(name in own)) Object.assign(own, { [name]: value })
  return Object.assign(own as Pluggable<AxiosStatic>, { default: own })
}
