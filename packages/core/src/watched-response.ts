// A response of fetch whose body is watched. Who reads it as a whole is listened to, and what is to be kept is copied then; only a
// stream that somebody asks for is passed through another, which costs more than all the rest of a guarded call.
import type { Attempt } from './attempt.ts'
import { common } from './common.ts'
import { isFieldValue } from './field.ts'
import { alike } from './likeness.ts'
import type { Cause } from './outcome.ts'
import { stamp } from './stamp.ts'
import { causeOfDecoding, isReadable, watchBody } from './watched-body.ts'

/** @internal Who watches the body of a response. */
export interface Watch {
  readonly attempt: Attempt
  /** Whether the attempt wants the bytes. */
  readonly captured: boolean
  /** Why the body broke, where the caller or a time limit broke it. */
  causeOf(error: unknown): Cause | undefined
  /** What stands for the response once its stream was asked for. */
  passed: Response | undefined
}

const watches = common('response.watches', stamp<Watch>)
const watchOf = (response: Response): Watch => watches.of(response) as Watch

/** @internal The attempt of a response that is watched. */
export const watcherOf = (response: object): Attempt | undefined => watches.of(response)?.attempt

type Body = ReadableStream<Uint8Array> | null
type Method = (typeof WHOLE)[number] | 'formData' | 'clone'

/** The methods that read a body as a whole, and fail for no other reason than the body, but for bad JSON. */
const WHOLE = ['arrayBuffer', 'blob', 'bytes', 'json', 'text'] as const

/** What they make of the bytes (the fetch standard, "Body mixin"); a blob is left to the platform. */
const MADE: { readonly [Name in (typeof WHOLE)[number]]?: (bytes: ArrayBuffer) => unknown } = {
  arrayBuffer: (bytes) => bytes,
  bytes: (bytes) => new Uint8Array(bytes),
  json: (bytes) => JSON.parse(textOf(bytes)) as unknown,
  text: (bytes) => textOf(bytes),
}

let decoder: InstanceType<typeof TextDecoder> | undefined
const textOf = (bytes: ArrayBuffer): string => (decoder ??= new TextDecoder()).decode(bytes)

/** The prototypes of watched responses, by those of the responses themselves; undefined for what is no response but in its shape. */
const prototypes = new WeakMap<object, object | undefined>()
/** The last of them: nearly always there is but one. */
let lastBase: object | undefined
let lastOver: object | undefined

/**
 * @internal Watches the body of a response, which stays the object that it is, where that can be: not where another board
 * does so already, nor where it is frozen or made by hand as a mock may be.
 */
export function watchResponse(response: Response, watch: Watch): Response {
  const over = prototypeOver(Object.getPrototypeOf(response) as Response)
  if (over === undefined || watches.of(response) !== undefined || !Reflect.setPrototypeOf(response, over)) {
    const { body } = response
    return isReadable(body) ? passResponse(response, body, watch) : response
  }
  watches.put(response, watch)
  return response
}

/** The same response with its body passed through a stream that is watched. */
function passResponse(response: Response, body: ReadableStream<Uint8Array>, watch: Watch): Response {
  const { status, statusText, headers } = response
  // No Response can be made with what some hosts send: a status of 999, a reason that is no text.
  const fits = status <= 599 && isFieldValue(statusText)
  const watched = watchBody(body, watch.attempt, watch.captured, (error) => watch.causeOf(error))
  return alike(new Response(watched, fits ? { status, statusText, headers } : { headers }), response, !fits)
}

function prototypeOver(base: Response): object | undefined {
  if (base === lastBase) return lastOver
  if (!prototypes.has(base)) {
    const bodyOf = getterIn(base, 'body') as (() => Body) | undefined
    const usedOf = getterIn(base, 'bodyUsed') as (() => boolean) | undefined
    prototypes.set(base, bodyOf && usedOf && makePrototype(base, bodyOf, usedOf))
  }
  lastBase = base
  return (lastOver = prototypes.get(base))
}

function makePrototype(base: Response, bodyOf: () => Body, usedOf: () => boolean): object {
  const own = Object.create(base) as object
  const define = (name: string, descriptor: PropertyDescriptor): void =>
    void Object.defineProperty(own, name, {
      configurable: true,
      ...('value' in descriptor && { writable: true }),
      ...descriptor,
    })
  // A body that is none, or that somebody is reading, stays with its response.
  const pass = (response: Response): Response | undefined => {
    const watch = watchOf(response)
    if (watch.passed === undefined) {
      const body = Reflect.apply(bodyOf, response, [])
      if (isReadable(body)) watch.passed = passResponse(response, body, watch)
    }
    return watch.passed
  }
  const read = (response: Response, name: Method): unknown => {
    const passed = pass(response)
    return passed === undefined ? Reflect.apply(base[name] as () => unknown, response, []) : passed[name]()
  }
  for (const name of WHOLE) {
    if (typeof base[name] !== 'function') continue
    define(name, {
      value(this: Response): unknown {
        const { passed, captured } = watchOf(this)
        if (passed !== undefined) return passed[name]()
        if (!captured) return readWhole(this, base[name], usedOf)
        return MADE[name] === undefined ? read(this, name) : copyWhole(this, base, usedOf, MADE[name])
      },
    })
  }
  define('formData', {
    value: function formData(this: Response) {
      return read(this, 'formData')
    },
  })
  define('clone', {
    value: function clone(this: Response) {
      return read(this, 'clone')
    },
  })
  define('body', {
    get(this: Response) {
      const passed = pass(this)
      return passed === undefined ? Reflect.apply(bodyOf, this, []) : passed.body
    },
  })
  define('bodyUsed', {
    get(this: Response) {
      return watchOf(this).passed?.bodyUsed ?? Reflect.apply(usedOf, this, [])
    },
  })
  return own
}

// A second read fails for what the caller did.
function readWhole(response: Response, read: () => Promise<unknown>, usedOf: () => boolean): Promise<unknown> {
  const used = Reflect.apply(usedOf, response, [])
  const whole = Reflect.apply(read, response, [])
  return used ? whole : whole.then(undefined, (error: unknown) => broke(watchOf(response), error))
}

function copyWhole(
  response: Response,
  base: Response,
  usedOf: () => boolean,
  make: (bytes: ArrayBuffer) => unknown,
): Promise<unknown> {
  const used = Reflect.apply(usedOf, response, [])
  const whole: Promise<ArrayBuffer> = Reflect.apply(base.arrayBuffer, response, [])
  if (used) return whole
  const watch = watchOf(response)
  return whole.then(
    (bytes) => {
      watch.attempt.chunk(new Uint8Array(bytes))
      watch.attempt.end()
      return make(bytes)
    },
    (error: unknown) => broke(watch, error),
  )
}

function broke(watch: Watch, error: unknown): never {
  // What came whole and is no JSON is another matter.
  if (!(error instanceof SyntaxError))
    watch.attempt.amend({ error, cause: watch.causeOf(error) ?? causeOfDecoding(error) })
  throw error
}

function getterIn(base: object, name: string): unknown {
  for (let at: object | null = base; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const found = Object.getOwnPropertyDescriptor(at, name)
    if (found) return Reflect.get(found, 'get')
  }
  return undefined
}
