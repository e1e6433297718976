// How is something remembered without end in sight? Up to a number, and then in the place
// of what came first.

/** Puts a value into the map as its newest; the oldest goes when there would be more than `most`. */
export function putBounded<K, V> (map: Map<K, V>, key: K, value: V, most: number): void {
  map.delete(key)
  if (map.size >= most) map.delete(map.keys().next().value as K)
  map.set(key, value)
}
