// What the functions of a policy say of a request: asked once, and before it is sent.
import { ask, inWords } from './ask.ts'
import { show } from './duration.ts'
import type { Replies } from './reply.ts'
import type { HttpRequest } from './request.ts'
import type { Permission } from './stale-options.ts'

/** @internal */
export interface Asked {
  readonly skips: boolean
  /** Whose the answers are; empty for nobody's, undefined where it cannot be told. */
  readonly owner: string | undefined
  /** What they are kept under; undefined for their path, empty where they are left alone. */
  readonly name: string | undefined
}

type Question = (request: HttpRequest, replies: Replies) => Asked

/**
 * @internal Asks for each request once. An answer may be met in the context of another caller than its own (undici runs the
 * handlers of all requests on a socket in that of the first), where AsyncLocalStorage would name somebody else.
 */
export function askOnce(permission: Permission): Question | undefined {
  const { key, partition, skip } = permission
  if (key === undefined && partition === undefined && skip === undefined) return undefined
  const known = new WeakMap<HttpRequest, Asked>()
  return (request, replies) => {
    let asked = known.get(request)
    if (asked === undefined) {
      asked = {
        skips: skip !== undefined && skipsIt(skip, request, replies),
        owner: partition === undefined ? '' : told('partition', partition, request, replies),
        name: nameOf(permission, request, replies),
      }
      known.set(request, asked)
    }
    return asked
  }
}

/** @internal What is said where nothing is asked. */
export const UNASKED: Asked = { skips: false, owner: '', name: undefined }

/** @internal The name that the policy gives a request; see {@link Asked}. */
export function nameOf({ key }: Permission, request: HttpRequest, replies: Replies): string | undefined {
  return key && (told('key', key, request, replies) ?? '')
}

function told(
  what: 'key' | 'partition',
  asks: NonNullable<Permission['key']>,
  request: HttpRequest,
  replies: Replies,
): string | undefined {
  return ask(
    () => asks(request) ?? '',
    (said) => {
      if (typeof said !== 'string') throw new TypeError(`it must give text or nothing, got ${show(said)}`)
      return said
    },
    (why) => replies.warn(`${what}-failed`, `staleIfError.${what} failed, which leaves its request alone: ${why}`),
  )
}

function skipsIt(skip: NonNullable<Permission['skip']>, request: HttpRequest, replies: Replies): boolean {
  try {
    return skip(request)
  } catch (error) {
    replies.warn('skip-threw', `staleIfError.skip threw, which counts as skipped: ${inWords(error)}`)
    return true
  }
}
