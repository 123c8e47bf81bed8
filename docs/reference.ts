// Writes the reference of every export, in .run/api: `npx -y pnpm@12 api-docs`. It fails where an export says nothing of itself, shows a
// type that is not exported, or links to nothing.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Application, ReflectionKind, type TranslatedString } from 'typedoc'

const packages = join(import.meta.dirname, '../packages')

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string>>
}

/** The modules that programs may import, by file: what the packages export that are published. */
function modules(): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const folder of readdirSync(packages)) {
    const manifest = JSON.parse(readFileSync(join(packages, folder, 'package.json'), 'utf8')) as Manifest
    if (manifest.private) continue
    for (const [path, file] of Object.entries(manifest.exports ?? {}))
      if (file.endsWith('.ts')) found.set(join(folder, file), join(manifest.name, path))
  }
  return found
}

const named = modules()
const app = await Application.bootstrap({
  name: 'Fuseboard',
  entryPoints: [...named.keys()].map((file) => join(packages, file)),
  tsconfig: join(packages, '../tsconfig.json'),
  readme: 'none',
  out: join(packages, '../.run/api'),
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  disableSources: true,
  validation: { notDocumented: true },
  packagesRequiringDocumentation: [...named.values()].map((name) => name.split('/', 2).join('/')),
  requiredToBeDocumented: ['Class', 'Interface', 'TypeAlias', 'Variable', 'Enum'],
  treatWarningsAsErrors: true,
})
const project = await app.convert()
if (project === undefined) process.exit(1)

// typedoc names modules by their files, people by what they import.
for (const module of project.children ?? []) {
  const file = [`${module.name}/index.ts`, `${module.name}.ts`].find((name) => named.has(name)) ?? ''
  module.name = named.get(file) ?? module.name
}
// Methods may go without a word where their names say it; functions may not.
for (const { name, signatures = [] } of project
  .getReflectionsByKind(ReflectionKind.Function)
  .filter((one) => one.isDeclaration()))
  if (!signatures.some((signature) => signature.hasComment()))
    app.logger.warn(`${name} says nothing of itself` as TranslatedString)
app.validate(project)
await app.generateOutputs(project)
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1)
