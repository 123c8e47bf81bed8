// The packages as npm would have them: packed by pnpm, which puts `publishConfig` in place and resolves workspace versions.
import { execFile } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { promisify } from 'node:util'

/** The folders of what is published. */
export const PUBLISHED = ['core', 'axios', 'got', 'ky', 'undici', 'stores', 'telemetry', 'outbox'] as const

export type Published = (typeof PUBLISHED)[number]

/** Runs a program without a shell; rejects where it fails. */
export const run = promisify(execFile)

const root = resolve(import.meta.dirname, '..')

/** Packs packages as they were built: gives the path of each tarball, by the name of its folder. */
export async function pack(names: readonly Published[], to: string): Promise<Map<Published, string>> {
  await mkdir(to, { recursive: true })
  const [command, ...args] = pnpm()
  const filters = names.flatMap((name) => ['--filter', `./packages/${name}`])
  await run(command, [...args, '-r', ...filters, 'pack', '--pack-destination', to], { cwd: root })
  const tarballs = await readdir(to)
  return new Map(names.map((name) => [name, join(to, tarballOf(name, tarballs))]))
}

/** Packs packages, and unpacks each into a folder of its name. */
export async function unpack(names: readonly Published[], to: string): Promise<void> {
  for (const [name, tarball] of await pack(names, `${to}.tarballs`)) {
    await mkdir(join(to, name), { recursive: true })
    await run('tar', ['xzf', tarball, '-C', join(to, name), '--strip-components=1'])
  }
}

/** The pnpm that started this script, or else the one that npx finds. */
export function pnpm(): [string, ...string[]] {
  const path = process.env.npm_execpath ?? ''
  if (!basename(path).startsWith('pnpm')) return ['npx', '-y', 'pnpm@12']
  return /\.[cm]?js$/.test(path) ? [process.execPath, path] : [path]
}

function tarballOf(name: string, tarballs: readonly string[]): string {
  const found = tarballs.find((one) => new RegExp(`^fuseboard-${name}-\\d`).test(one))
  if (found === undefined) throw new Error(`pnpm packed no ${name}`)
  return found
}
