// The page of the changes that no test notices, each under the reason why: reasons are kept as the page is written anew.

/** A change that no test noticed. */
export interface Survivor {
  readonly file: string
  readonly at: number
  /** The line where it begins, and what was replaced of it by what. */
  readonly line: string
  readonly from: string
  readonly to: string
}

const NO_REASON = 'No reason is given yet:'
const MOST_SHOWN = 100

/** A section anew, with the reasons of the old one; `open` is how many have none. */
export function section(
  old: string,
  title: string,
  score: string,
  survivors: readonly Survivor[],
): { readonly text: string; readonly open: number } {
  const reasons = reasonsIn(old)
  const byReason = new Map<string, string[]>([...reasons.values(), NO_REASON].map((reason) => [reason, []]))
  for (const line of survivors.map(told)) byReason.get(reasons.get(unnumbered(line)) ?? NO_REASON)?.push(line)
  const groups = [...byReason].filter(([, lines]) => lines.length > 0)
  const text = [`## ${title}`, score, ...groups.flatMap(([reason, lines]) => [reason, lines.join('\n')])].join('\n\n')
  return { text, open: byReason.get(NO_REASON)?.length ?? 0 }
}

/** The reason of each change that a section names: the paragraph before its list. */
function reasonsIn(section: string): Map<string, string> {
  const reasons = new Map<string, string>()
  let reason = NO_REASON
  for (const block of section.split('\n\n')) {
    if (!block.startsWith('- ')) reason = block
    else for (const line of block.split('\n')) reasons.set(unnumbered(line), reason)
  }
  return reasons
}

/** Code moves, and its reasons stay. */
const unnumbered = (line: string): string => line.replace(/^(- [\w.-]+):\d+/, '$1')

function told({ file, at, line, from, to }: Survivor): string {
  const where = line === from ? '' : ` in ${code(line)}`
  return `- ${file}:${at} ${code(from)} → ${to === '' ? 'nothing' : code(to)}${where}`
}

function code(text: string): string {
  const shown = text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text
  if (!shown.includes('`')) return `\`${shown}\``
  // As oxfmt has it: a space only where a fence would run into the text.
  const space = /^`|`$/.test(shown) ? ' ' : ''
  return `\`\`${space}${shown}${space}\`\``
}
