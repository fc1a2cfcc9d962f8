/** The last values that were asked for, at most so many. */
export interface LruCache<Value> {
  /** The value of a key; made when it is not there. What could not be made is not kept. */
  get(key: string, make: () => Promise<Value>): Promise<Value>
  forget(key: string): void
}

/** An empty cache of at most `most` values. Those who ask at once wait for the same value. */
export function createLruCache<Value>(most: number): LruCache<Value> {
  const values = new Map<string, Promise<Value>>()
  return {
    get(key, make) {
      const value = values.get(key) ?? make()
      values.delete(key)
      values.set(key, value)
      value.catch(() => {
        if (values.get(key) === value) values.delete(key)
      })
      const [oldest] = values.keys()
      if (values.size > most && oldest !== undefined) values.delete(oldest)
      return value
    },
    forget: (key) => void values.delete(key),
  }
}
