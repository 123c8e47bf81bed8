// Calls to a store that may never answer: how many there are at once, and in which order writes are sent.
import { expect, test } from 'vitest'
import { Turns } from './turns.ts'

/** Writes that end when they are told to. */
function pen(): {
  write: (name: string) => () => Promise<void>
  sent: string[]
  end: (fault?: Error) => Promise<void>
} {
  const sent: string[] = []
  const open: { resolve: () => void; reject: (fault: Error) => void }[] = []
  return {
    sent,
    write: (name) => () => {
      sent.push(name)
      return new Promise((resolve, reject) => open.push({ resolve, reject }))
    },
    async end(fault) {
      const first = open.shift()
      if (fault) first?.reject(fault)
      else first?.resolve()
      await settled()
    },
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const forever = (): Promise<never> => new Promise(() => {})

test('writes of other keys do not wait for each other', async () => {
  const turns = new Turns()
  const { write, sent } = pen()
  void turns.write('a', write('a'))
  void turns.write('b', write('b'))
  await settled()
  expect(sent).toEqual(['a', 'b'])
})

test('a write waits for that of its key, and only the last of those that wait is sent', async () => {
  const turns = new Turns()
  const { write, sent, end } = pen()
  const ends: string[] = []
  for (const name of ['1', '2', '3']) void turns.write('a', write(name)).then(() => ends.push(name))
  await settled()
  expect(sent).toEqual(['1'])
  await end()
  expect([sent, ends]).toEqual([['1', '3'], ['1']])
  void turns.write('a', write('4'))
  await end()
  expect([sent, ends]).toEqual([
    ['1', '3', '4'],
    ['1', '2', '3'],
  ])
})

test('one that fails holds nothing up, and fails for those whose place it took', async () => {
  const turns = new Turns()
  const { write, end } = pen()
  const faults: unknown[] = []
  for (const name of ['1', '2', '3'])
    turns.write('a', write(name)).catch((fault: unknown) => faults.push(`${name} ${String(fault)}`))
  await settled()
  await end(new Error('down'))
  await end(new Error('still down'))
  expect(faults).toEqual(['1 Error: down', '2 Error: still down', '3 Error: still down'])
  const after = turns.write('a', write('4'))
  await settled()
  await end()
  expect(await after).toBeUndefined()
})

test('one that throws is one that fails', async () => {
  const turns = new Turns()
  const throwing = (): never => {
    throw new Error('at once')
  }
  await expect(turns.write('a', throwing)).rejects.toThrow('at once')
  await expect(turns.write('a', throwing)).rejects.toThrow('at once')
  await expect(turns.read(throwing)).rejects.toThrow('at once')
})

test('a store that has gone silent is asked no more than it can lose', async () => {
  const turns = new Turns()
  for (let n = 0; n < 256; n++) void turns.read(forever)
  await expect(turns.read(forever)).rejects.toThrow('not asked, 256 reads are without an answer')
  for (let n = 0; n < 16; n++) void turns.write(`${n}`, forever)
  await expect(turns.write('16', forever)).rejects.toThrow('not sent, 16 writes are without an answer')
})

test('those that were answered make room', async () => {
  const turns = new Turns()
  for (let n = 0; n < 1_000; n++) {
    expect(await turns.read(async () => n)).toBe(n)
    await turns.write(`${n}`, async () => n)
  }
})
