// Guards the fetch of a program without a line of its code: `node --import @fuseboard/undici/register app.js`.
import { resolve } from 'node:path'
import process from 'node:process'
import { pathToFileURL } from 'node:url'
import type { Board, BoardOptions } from '@fuseboard/core'
import { guardGlobalFetch } from './guard-global-fetch.ts'

guardGlobalFetch(await configured())

/** What the module that FUSEBOARD_CONFIG names gives as its default: a board, or the options of one. Nothing means the default board. */
async function configured(): Promise<Board | BoardOptions | undefined> {
  const path = process.env.FUSEBOARD_CONFIG
  if (path === undefined || path === '') return undefined
  const module = await load(path)
  if (typeof module.default === 'object' && module.default !== null) return module.default
  throw new TypeError(`FUSEBOARD_CONFIG must name a module whose default export is a board or its options, got ${path}`)
}

async function load(path: string): Promise<{ readonly default?: unknown }> {
  const url = path.startsWith('file:') ? path : pathToFileURL(resolve(path)).href
  try {
    return (await import(url)) as { default?: unknown }
  } catch (cause) {
    throw new Error(`FUSEBOARD_CONFIG names a module that could not be loaded: ${path}`, { cause })
  }
}
