// Maps that forget: what is in them is a help, and its loss no harm.

/** @internal Sets a value as the newest; of more than `most` the oldest goes. */
export function remember<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  for (const oldest of map.keys()) {
    map.delete(oldest)
    return
  }
}
