// How the timeline writes lengths of time, and text that must fit.

/** A length of time: `500 ms`, `2.2 s`, `3 s`, `4 min 35 s`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`
  if (ms < 120_000) return `${Number((ms / 1_000).toFixed(1))} s`
  const seconds = Math.round(ms / 1_000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Seconds with one decimal, so that a column of them reads well. */
export function tenths(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

/** A heading, as wide as the page. */
export function rule(title: string, width: number): string {
  return `── ${title} `.padEnd(width, '─')
}

/** The beginning of a text where all of it has no room; nothing where there is hardly any. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text
  return width < 8 ? '' : `${text.slice(0, width - 1).trimEnd()}…`
}

/** The text in lines of at most that width. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length > 0 && longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(word)
  }
  return lines
}
