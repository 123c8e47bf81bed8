// That the page says what is so, and that each behaviour can be failed.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { put, type Behaviour } from './behaviour.ts'
import { GROUPS } from './behaviours.ts'
import { ANSWERS } from './behaviours/answers.ts'
import type { Breaker, Entrant } from './entrant.ts'
import { facts, modulesOf } from './facts.ts'
import type { Got, KeepingEntrant } from './keeper.ts'
import { page, summary } from './page.ts'
import { inReadme, PAGE, README } from './places.ts'
import { results } from './results.ts'

const A_MINUTE = 60_000

test(
  'docs/comparison.md and README.md say what a run finds (`npx -y pnpm@12 scoreboard --write`)',
  async () => {
    const tables = await results()
    const packages = await facts()
    expect(readFileSync(PAGE, 'utf8')).toBe(page(tables, packages))
    const readme = readFileSync(README, 'utf8')
    expect(readme).toBe(inReadme(readme, summary(tables, packages)))
  },
  A_MINUTE,
)

test('what a package publishes says which modules may load it, not what its workspace has', () => {
  const both = { '.': { import: './a.js', require: './a.cjs' } }
  expect(modulesOf({ type: 'module', exports: './src/a.ts', publishConfig: { exports: both } })).toBe('both')
  expect(modulesOf({ type: 'module', exports: './a.js', publishConfig: {} })).toBe('ESM')
  expect(modulesOf({ exports: both })).toBe('both')
  expect(modulesOf({})).toBe('CommonJS')
})

/** No breaker at all: every call goes through, and whoever listens hears nothing. */
const none: Entrant = {
  name: 'none',
  breaker: () => ({
    call(task, signal) {
      signal?.addEventListener('abort', () => {})
      return (async () => task())()
    },
    on() {},
    hold: () => () => {},
    setRate() {},
    save: () => '{}',
    retryAfter: () => undefined,
    slowest: () => 0,
    watch() {},
    fetch: (url, init) => fetch(url, init),
  }),
  fleet: (_, members) => Array.from({ length: members }, () => none.breaker()),
}

/** Opens at the first trouble, whatever it is, for ever; each listener is a danger, and each call has a timer. */
const hasty: Entrant = {
  name: 'hasty',
  breaker(_, saved) {
    let open = false
    const listeners = { succeeded: [] as (() => unknown)[], opened: [] as (() => unknown)[] }
    const tell = (event: keyof typeof listeners): void => listeners[event].forEach((listener) => listener())
    const call: Breaker['call'] = async (task) => {
      setInterval(() => {}, A_MINUTE)
      if (open || saved !== undefined) throw new Error('open')
      // Whatever is no promise fails here.
      return (task() as Promise<unknown>).then(
        (value) => {
          tell('succeeded')
          return value
        },
        (error: unknown) => {
          open = true
          tell('opened')
          throw error
        },
      )
    }
    return {
      ...none.breaker(),
      call,
      on: (event, listener) => void listeners[event].push(listener),
      fetch: (url, init) =>
        call(async () => {
          const response = await fetch(url, init)
          if (!response.ok) throw new Error('no good')
          return response
        }) as Promise<Response>,
    }
  },
  fleet: () => [],
}

/** No cache at all. */
const keepsNothing: KeepingEntrant = { name: 'keeps nothing', keeper: () => ({ get: ask, post }) }

/** Keeps whatever comes, however much of it and whosever it is, for ever. */
const keepsAll: KeepingEntrant = {
  name: 'keeps all',
  keeper({ brokenStore } = {}) {
    const kept = new Map<string, Got>()
    return {
      async get(url) {
        if (brokenStore) throw new Error('the store is down')
        const got = kept.get(url) ?? (await ask(url))
        kept.set(url, got)
        return got
      },
      post,
    }
  },
}

async function ask(url: string): Promise<Got> {
  const response = await fetch(url)
  let text = ''
  try {
    for await (const part of response.body ?? []) text += new TextDecoder().decode(part)
  } catch {
    // The half of it will do.
  }
  return { status: response.status, text, earlier: false }
}

const post = async (url: string): Promise<unknown> => (await fetch(url, { method: 'POST' })).text()

describe('what anybody could do is no behaviour', () => {
  const all: readonly Behaviour<Entrant>[] = GROUPS.flatMap(({ behaviours }) => behaviours)
  test.each(all.map((behaviour) => [behaviour.title, behaviour] as const))('%s', async (_, behaviour) => {
    expect(await failedBy(behaviour, [none, hasty])).not.toEqual([])
  })

  test.each(ANSWERS.behaviours.map((behaviour) => [behaviour.title, behaviour] as const))(
    '%s',
    async (_, behaviour) => {
      expect(await failedBy(behaviour, [keepsNothing, keepsAll])).not.toEqual([])
    },
  )
})

async function failedBy<E extends { readonly name: string }>(
  behaviour: Behaviour<E>,
  entrants: readonly E[],
): Promise<string[]> {
  const names: string[] = []
  for (const entrant of entrants) {
    if ((await put(behaviour, entrant)).says === 'no') names.push(entrant.name)
  }
  return names
}
