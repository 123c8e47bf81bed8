// Virtual time: what is to happen at which millisecond, in a binary heap. Nobody waits for a real clock.

interface Event {
  readonly at: number
  /** Of events of one moment the first that was asked for is first. */
  readonly order: number
  act: (() => void) | undefined
}

/** The time of a simulation, in whole milliseconds from 0. */
export class EventLoop {
  now = 0
  readonly #heap: Event[] = []
  #asked = 0

  /** @returns what calls it off */
  after(ms: number, act: () => void): () => void {
    const event: Event = { at: this.now + ms, order: this.#asked++, act }
    this.#push(event)
    return () => {
      event.act = undefined
    }
  }

  /** All that happens up to a moment. Promises that need no time are settled before time goes on. */
  async runTo(end: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      if (next.act !== undefined && next.at > this.now) {
        await settled()
        // It may have asked for something earlier.
        this.now = (this.#heap[0] as Event).at
      }
      this.#pop().act?.()
    }
    await settled()
    this.now = end
  }

  #push(event: Event): void {
    const heap = this.#heap
    let place = heap.push(event) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      if (!isBefore(event, heap[above] as Event)) break
      heap[place] = heap[above] as Event
      place = above
    }
    heap[place] = event
  }

  #pop(): Event {
    const heap = this.#heap
    const first = heap[0] as Event
    const last = heap.pop() as Event
    if (heap.length > 0) this.#sink(last)
    return first
  }

  #sink(event: Event): void {
    const heap = this.#heap
    let place = 0
    for (let below = 1; below < heap.length; below = 2 * place + 1) {
      const right = below + 1
      if (right < heap.length && isBefore(heap[right] as Event, heap[below] as Event)) below = right
      if (!isBefore(heap[below] as Event, event)) break
      heap[place] = heap[below] as Event
      place = below
    }
    heap[place] = event
  }
}

const isBefore = (one: Event, other: Event): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order)

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
