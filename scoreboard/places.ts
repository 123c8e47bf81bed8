// Where what was found is written down.

/** The page. */
export const PAGE: URL = new URL('../docs/comparison.md', import.meta.url)
export const README: URL = new URL('../README.md', import.meta.url)

const BEGINS = '<!-- scoreboard -->'
const ENDS = '<!-- end of scoreboard -->'

/**
 * README.md with the counts between its two marks.
 *
 * @throws Error where it has no such marks
 */
export function inReadme(text: string, counts: string): string {
  const [from, to] = [text.indexOf(BEGINS), text.indexOf(ENDS)]
  if (from === -1 || to < from) throw new Error(`README.md has no ${BEGINS} with ${ENDS} after it`)
  return `${text.slice(0, from)}${BEGINS}\n\n${counts}\n\n${text.slice(to)}`
}
