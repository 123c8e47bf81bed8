// What a behaviour is, and how it is put to those who take part.
import { Lacks, NotItsTrade } from './entrant.ts'
import { Unlike, World } from './world.ts'

/** Something that a library does or does not do. `run` throws {@link Unlike} where it does not. */
export interface Behaviour<E> {
  /** A sentence. */
  readonly title: string
  /** Why it matters, in a line. */
  readonly why: string
  run(entrant: E, world: World): Promise<void>
}

/** Behaviours that belong together. */
export interface Group<E> {
  readonly title: string
  readonly file: string
  readonly behaviours: readonly Behaviour<E>[]
}

/** What was found. */
export interface Cell {
  readonly says: 'yes' | 'no' | 'n/a'
  /** Why not. */
  readonly why: string
}

/** As long as one may take in real time; what takes longer hangs. */
const LIMIT = 20_000
const { setTimeout: later, clearTimeout: never } = globalThis

/** Puts a behaviour to one who takes part. */
export async function put<E>(behaviour: Behaviour<E>, entrant: E): Promise<Cell> {
  const world = new World()
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = later(() => reject(new Unlike('it did not come to an end')), LIMIT)
  })
  try {
    await Promise.race([behaviour.run(entrant, world), limit])
    return { says: 'yes', why: '' }
  } catch (error) {
    return found(error)
  } finally {
    never(timer)
    await world.end()
  }
}

function found(error: unknown): Cell {
  if (error instanceof NotItsTrade) return { says: 'n/a', why: error.message }
  if (error instanceof Unlike || error instanceof Lacks) return { says: 'no', why: error.message }
  // A mistake of the board itself, not of one who takes part.
  throw error
}
