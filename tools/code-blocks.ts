// The code that documents show: what stands in their blocks, and whether it has the types that it needs.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** The blocks of a page that are TypeScript. */
export const blocksOf = (page: string): string[] =>
  [...page.matchAll(/```ts\n([^]*?)```/g)].map(([, code = '']) => code)

/**
 * Compiles blocks, each by itself, as a program that has the dependencies of a package would.
 *
 * @param home the package, such as `stores`
 * @param ambient declarations of what is not installed
 * @returns what the compiler says; empty where all is well
 */
export async function typeFaults(blocks: readonly string[], home: string, ambient: string = ''): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'fuseboard-'))
  try {
    symlinkSync(root(`packages/${home}/node_modules`), join(folder, 'node_modules'))
    for (const [nth, block] of blocks.entries()) writeFileSync(join(folder, `block${nth}.ts`), block)
    writeFileSync(join(folder, 'ambient.d.ts'), ambient)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const compilerOptions = {
      noEmit: true,
      noUnusedLocals: false,
      typeRoots: [root('node_modules/@types')],
      paths: { [`@fuseboard/${home}/*`]: [root(`packages/${home}/src/*.ts`)] },
    }
    const config = { extends: root('tsconfig.base.json'), compilerOptions, include: ['*.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const { stdout } = await promisify(execFile)(process.execPath, [
      root('node_modules/typescript/bin/tsc'),
      '-p',
      folder,
    ]).catch((error) => error as { stdout: string })
    return stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}
