// The public surface of a package as text, from its declaration files: each name that is exported, sorted, then what these
// names are made of. Comments are left out, and so is what is marked @internal.
import ts from 'typescript5.9'

/** An entry of a package, and the declaration file that it has. */
export interface Entry {
  readonly name: string
  readonly file: string
}

type Found = Map<string, ts.Symbol>

const OPTIONS: ts.CompilerOptions = {
  module: ts.ModuleKind.NodeNext,
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  types: ['node'],
  typeRoots: [`${import.meta.dirname}/node_modules/@types`],
}

const printer = ts.createPrinter({ removeComments: true })

/** @throws Error where an entry was not built */
export function describe(entries: readonly Entry[], dist: string): string {
  const program = ts.createProgram({ rootNames: entries.map(({ file }) => file), options: OPTIONS })
  const checker = program.getTypeChecker()
  const isOwn = (node: ts.Node): boolean => node.getSourceFile().fileName.startsWith(`${dist}/`)

  const exported = entries.map(({ name, file }) => {
    const source = program.getSourceFile(file)
    const module = source && checker.getSymbolAtLocation(source)
    if (!module) throw new Error(`${file} is not there: build first`)
    return { name, symbols: sorted(checker.getExportsOfModule(module)) }
  })
  const offered = new Set(exported.flatMap(({ symbols }) => symbols.map((symbol) => target(checker, symbol))))

  const reached: Found = new Map()
  const reach = (declaration: ts.Node): void => {
    if (isInternal(declaration)) return
    const symbol = ts.isIdentifier(declaration) ? checker.getSymbolAtLocation(declaration) : undefined
    const found = symbol && target(checker, symbol)
    if (found && !offered.has(found) && !reached.has(found.name) && isTop(found) && found.declarations?.every(isOwn)) {
      reached.set(found.name, found)
      found.declarations.forEach(reach)
    }
    ts.forEachChild(declaration, reach)
  }

  const sections = exported.map(({ name, symbols }) => {
    const lines = symbols.flatMap((symbol) => {
      const { declarations = [] } = target(checker, symbol)
      if (declarations.some(isInternal)) return []
      if (!declarations.every(isOwn)) return [`export { ${symbol.name} } from ${origin(symbol)}`]
      declarations.forEach(reach)
      const { name: own } = target(checker, symbol)
      if (own === symbol.name) return declarations.map(text)
      // Only by another name: what it is stands with the others.
      if (!symbols.some(({ name }) => name === own)) reached.set(own, target(checker, symbol))
      return [`export { ${own} as ${symbol.name} }`]
    })
    return `// ${name}\n\n${lines.length > 0 ? lines.join('\n') : '// Nothing: it is loaded for what it does.'}\n`
  })
  const others = sorted(reached.values()).flatMap(({ declarations = [] }) => declarations.map(text))
  if (others.length > 0) sections.push(`// Not exported: what the above is made of\n\n${others.join('\n')}\n`)
  return sections.join('\n')
}

function sorted(symbols: Iterable<ts.Symbol>): ts.Symbol[] {
  return [...symbols].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** What a name stands for where it is handed on from another file. */
function target(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
}

/** The package that a name is handed on from. */
function origin({ declarations = [] }: ts.Symbol): string {
  const specifier = declarations.find(ts.isExportSpecifier)?.parent.parent.moduleSpecifier
  return specifier?.getText() ?? 'elsewhere'
}

/** Whether it stands by itself, and is no member, parameter or type parameter. */
function isTop({ declarations = [] }: ts.Symbol): boolean {
  return declarations.some((declaration) => ts.isSourceFile(statementOf(declaration).parent))
}

function isInternal(node: ts.Node): boolean {
  return ts.getJSDocTags(node).some(({ tagName }) => tagName.text === 'internal')
}

function statementOf(declaration: ts.Node): ts.Node {
  return ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration
}

function text(declaration: ts.Declaration): string {
  const { transformed } = ts.transform(statementOf(declaration), [
    (context) => (root) => {
      const visit = (node: ts.Node): ts.Node | undefined =>
        isInternal(node) ? undefined : ts.visitEachChild(node, visit, context)
      return ts.visitEachChild(root, visit, context)
    },
  ])
  return transformed
    .map((node) => printer.printNode(ts.EmitHint.Unspecified, node, declaration.getSourceFile()))
    .join('\n')
    .replace(/^(?:export )?declare |^export /, '')
}
