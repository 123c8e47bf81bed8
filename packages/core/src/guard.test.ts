// guard(): a function or method under a circuit of its own on the default board, as a wrapper and as a decorator.
import { beforeEach, describe, expect, test } from 'vitest'
import { circuitOpen, defaultBoard, guard, type Circuit } from './index.ts'

beforeEach(() => defaultBoard().reset())

const circuitOf = (owner: object, method: string): Circuit =>
  (owner as Record<string, { circuit: Circuit }>)[method]?.circuit as Circuit

const thrown = (call: () => unknown): unknown => {
  try {
    call()
    return 'nothing'
  } catch (error) {
    return error
  }
}

describe('guard(policy)(fn)', () => {
  test('opens as its policy says, on the default board', () => {
    const guarded = guard({ consecutiveFailures: 2, openFor: '5s' })(function transcode(): never {
      throw new Error('broken')
    })
    expect([thrown(guarded), thrown(guarded)]).toEqual([new Error('broken'), new Error('broken')])
    expect(circuitOpen(thrown(guarded))).toMatchObject({ key: 'transcode', reason: 'open' })
    expect(defaultBoard().peek('transcode')).toBe(guarded.circuit)
  })

  test('needs no policy, and leaves name, length and this', () => {
    const guarded = guard()(function half(this: { by: number }, n: number): number {
      return n / this.by
    })
    expect([guarded.call({ by: 2 }, 8), guarded.name, guarded.length]).toEqual([4, 'half', 1])
  })

  test('gives each function a circuit of its own, whatever it is called', () => {
    const wrap = guard({ consecutiveFailures: 1 })
    const make = (): (() => number) =>
      function twin(): number {
        return 1
      }
    const keys = [wrap(make()), wrap(make()), guard()(make())].map(({ circuit }) => circuit.key)
    expect(keys).toEqual(['twin', 'twin#2', 'twin#3'])
    expect(
      guard()(
        (
          () => () =>
            1
        )(),
      ).circuit.key,
    ).toBe('anonymous')
  })

  test('goes by its label, where it has one', () => {
    const { circuit } = guard({ label: 'the mailer' })(() => 1)
    expect([circuit.key, circuit.label]).toEqual(['the mailer', 'the mailer'])
  })
})

describe('@guard(policy)', () => {
  const GREET = Symbol('greet')

  class Video {
    readonly name: string
    fails = false

    constructor(name: string) {
      this.name = name
    }

    @guard({ consecutiveFailures: 2, openFor: '5s' })
    download(quality: string): string {
      if (this.fails) throw new Error('broken')
      return `${this.name} ${quality}`
    }

    @guard({ consecutiveFailures: 1 })
    async upload(): Promise<string> {
      if (this.fails) throw new Error('broken')
      return this.name
    }

    @guard()
    static find(name: string): Video {
      return new this(name)
    }

    @guard()
    #secret(): string {
      return 'secret'
    }

    tell(): string {
      return this.#secret()
    }

    @guard()
    [GREET](): string {
      return this.name
    }
  }

  class Film extends Video {
    override download(quality: string): string {
      return `film ${super.download(quality)}`
    }
  }

  test('keeps this, arguments, name, length and promises', async () => {
    const video = new Video('cats')
    expect([video.download('hd'), await video.upload()]).toEqual(['cats hd', 'cats'])
    expect([video.download.name, video.download.length]).toEqual(['download', 1])
  })

  test('has one circuit for all instances', () => {
    const [broken, well] = [new Video('a'), new Video('b')]
    broken.fails = true
    for (let call = 0; call < 2; call++) thrown(() => broken.download('hd'))
    expect(circuitOpen(thrown(() => well.download('hd')))).toMatchObject({ key: 'download', reason: 'open' })
    expect(circuitOf(well, 'download')).toBe(circuitOf(broken, 'download'))
  })

  test('rejects for an async method that is refused', async () => {
    const video = new Video('a')
    circuitOf(video, 'upload').trip()
    await expect(video.upload()).rejects.toMatchObject({ code: 'EOPENBREAKER', key: 'upload' })
  })

  test('guards a static method, a private one, and one named by a symbol', () => {
    expect(Video.find('cats')).toMatchObject({ name: 'cats' })
    expect(circuitOf(Video, 'find').counters.successes).toBe(1)
    const before = defaultBoard().peek('#secret')?.counters.successes ?? 0
    expect(new Video('a').tell()).toBe('secret')
    expect(defaultBoard().peek('#secret')?.counters.successes).toBe(before + 1)
    expect(new Video('dogs')[GREET]()).toBe('dogs')
    expect(defaultBoard().peek('Symbol(greet)')?.counters.successes).toBe(1)
  })

  test('is under calls of super, as the method of the base class', () => {
    const film = new Film('cats')
    const circuit = circuitOf(Video.prototype, 'download')
    const { successes } = circuit.counters
    expect(film.download('hd')).toBe('film cats hd')
    expect(circuit.counters.successes).toBe(successes + 1)
    circuit.trip()
    expect(circuitOpen(thrown(() => film.download('hd')))).toBeDefined()
  })

  test('decorates nothing but methods', () => {
    const decorate = guard() as unknown as (target: unknown, context: object) => unknown
    const fn = (): number => 1
    for (const kind of ['getter', 'setter', 'class', 'accessor'])
      expect(() => decorate(fn, { kind, name: 'x' })).toThrow(
        new TypeError(`@guard() decorates methods, not a ${kind}`),
      )
    expect(() => decorate(undefined, { kind: 'field', name: 'x' })).toThrow(TypeError)
    expect(() => decorate({ get: fn, set: fn }, { kind: 'accessor', name: 'x' })).toThrow(TypeError)
  })
})

// As TypeScript calls a decorator under `experimentalDecorators`.
describe('the legacy form', () => {
  class Mailer {
    readonly name = 'm'

    send(to: string): string {
      return `${this.name} to ${to}`
    }

    static all(): string {
      return 'all'
    }

    get size(): number {
      return this.name.length
    }
  }

  const decorate = (target: object, key: string | symbol): void => {
    const descriptor = Object.getOwnPropertyDescriptor(target, key) as PropertyDescriptor
    Object.defineProperty(target, key, guard({ consecutiveFailures: 1 })(target, key, descriptor))
  }

  test('guards a method, with one circuit for all instances', () => {
    const before = Object.getOwnPropertyDescriptor(Mailer.prototype, 'send') as PropertyDescriptor
    decorate(Mailer.prototype, 'send')
    expect(new Mailer().send('you')).toBe('m to you')
    const { value: _value, ...rest } = Object.getOwnPropertyDescriptor(Mailer.prototype, 'send') as PropertyDescriptor
    expect(rest).toEqual({
      writable: before.writable,
      enumerable: before.enumerable,
      configurable: before.configurable,
    })
    expect(circuitOf(Mailer.prototype, 'send').key).toBe('Mailer.send')
    circuitOf(Mailer.prototype, 'send').trip()
    expect(circuitOpen(thrown(() => new Mailer().send('you')))).toMatchObject({ key: 'Mailer.send' })
  })

  test('guards a static method', () => {
    decorate(Mailer, 'all')
    expect(Mailer.all()).toBe('all')
    expect(circuitOf(Mailer, 'all').key).toBe('Mailer.all')
  })

  test('says so where there is no method', () => {
    expect(() => decorate(Mailer.prototype, 'size')).toThrow(
      new TypeError('@guard() decorates methods, and size is none'),
    )
    const onProperty = guard() as unknown as (target: object, key: string) => unknown
    expect(() => onProperty(Mailer.prototype, 'field')).toThrow(TypeError)
  })

  test('says so on a static property, where there is no method either', () => {
    const onProperty = guard() as unknown as (target: object, key: string) => unknown
    expect(() => onProperty(Mailer, 'field')).toThrow(TypeError)
  })
})
