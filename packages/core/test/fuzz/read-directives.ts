// Cache-Control read once more, a character at a time and with nothing of core's: what core's reading is held against.

/** What a header says: flags with true, lengths of time with seconds. */
export type Said = Readonly<Record<string, true | number | undefined>>

const FLAGS = new Set(['no-store', 'no-cache', 'private', 'public', 'must-revalidate', 'proxy-revalidate'])
const TIMES = new Set(['max-age', 's-maxage', 'stale-if-error', 'max-stale', 'min-fresh'])
const MOST = 2_147_483_647

/** One directive; what is none has no name. */
interface Member {
  readonly name: string | undefined
  readonly value: string | undefined
  readonly quoted: boolean
}

/** Reads the header in the restrictive way wherever it is unclear. */
export function readDirectives(header: string): Said {
  const said: Record<string, true | number | undefined> = {}
  for (const { name, value, quoted } of membersOf(header.toLowerCase())) {
    if (name === undefined) said['no-store'] = true
    else if (FLAGS.has(name)) {
      if (name === 'public' && value !== undefined) continue
      const qualifies = (name === 'private' || name === 'no-cache') && quoted && isListOfTokens(value ?? '')
      if (!qualifies) said[name] = true
    } else if (TIMES.has(name)) {
      const seconds = secondsOf(name, value)
      const before = said[name]
      const strict = name === 'min-fresh' ? Math.max : Math.min
      said[name] = typeof before === 'number' ? strict(before, seconds) : seconds
    }
  }
  return said
}

function membersOf(text: string): Member[] {
  const members: Member[] = []
  let at = 0
  while (at < text.length) {
    const end = endOf(text, at)
    const member = text.slice(at, end)
    at = end + 1
    if (member.trim() !== '') members.push(memberOf(member))
  }
  return members
}

/** Where a member ends: at the next comma, but for those in a quoted string that is its whole value. */
function endOf(text: string, from: number): number {
  const comma = indexOr(text, ',', from)
  const equals = indexOr(text, '=', from)
  if (equals > comma || text[equals + 1] !== '"' || text.slice(from, equals).length === 0) return comma
  const close = closeOf(text, equals + 1)
  if (close === undefined) return comma
  let end = close + 1
  while (text[end] === ' ' || text[end] === '\t') end++
  return end === text.length || text[end] === ',' ? end : comma
}

/** Where the quoted string that begins there is closed. */
function closeOf(text: string, open: number): number | undefined {
  for (let at = open + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at
  }
  return undefined
}

function indexOr(text: string, character: string, from: number): number {
  const at = text.indexOf(character, from)
  return at < 0 ? text.length : at
}

function memberOf(member: string): Member {
  const equals = member.indexOf('=')
  const name = (equals < 0 ? member : member.slice(0, equals)).trim()
  const value = equals < 0 ? undefined : member.slice(equals + 1).trimEnd()
  const quoted = value?.[0] === '"' && closeOf(value, 0) === value.length - 1
  const sound = isToken(name) && (value === undefined || value === '' || quoted || isToken(value))
  return { name: sound ? name : undefined, value: quoted ? value?.slice(1, -1) : value, quoted }
}

function secondsOf(name: string, value: string | undefined): number {
  if (value !== undefined && value !== '' && Array.from(value).every((one) => one >= '0' && one <= '9')) {
    return Math.min(Number(value), MOST)
  }
  return name === 'min-fresh' || (name === 'max-stale' && value === undefined) ? MOST : 0
}

const isListOfTokens = (list: string): boolean => {
  const names = list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return names.length > 0 && names.every(isToken)
}

const SEPARATORS = '()<>@,;:\\"/[]?={}'

const isToken = (text: string): boolean =>
  text !== '' && Array.from(text).every((one) => one > ' ' && one < '\x7F' && !SEPARATORS.includes(one))
