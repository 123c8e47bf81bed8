// What the program asks for.

export interface Passage {
  /** As people call it. */
  readonly name: string
  /** Path and query at the service. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** Read again and again: after the first reading there is a stored reply of each. */
export const VERSES: readonly Passage[] = [
  passage('John 3:16', '/John+3:16'),
  passage('Jude 1, whole', '/Jude+1', { 'x-single-chapter-book-matching': 'indifferent' }),
  passage('John 3:16 (KJV)', '/John+3:16?translation=kjv'),
  passage('John 3:16-17', '/John+3:16-17'),
  passage('Jude 1', '/Jude+1'),
  passage('Psalm 23', '/Psalm+23'),
  passage('John 3:16,18', '/Jn+3:16,18'),
]

/** Asked for only while the service cannot answer, so nothing is stored for them. */
export const UNSEEN: readonly Passage[] = [passage('John 3:36-4:2', '/John+3:36-4:2'), passage('jn 3:16', '/jn+3:16')]

/** For these no other answer can stand in. */
export const UNIQUE: readonly Passage[] = [
  passage('a random verse', '/?random=true'),
  passage('JSONP John 3:16', '/John+3:16?callback=showVerse'),
  passage('a random, NT', '/data/web/random/NT'),
]

function passage(name: string, path: string, headers: Record<string, string> = {}): Passage {
  return { name, path, headers }
}
