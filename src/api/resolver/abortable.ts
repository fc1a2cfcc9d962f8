/**
 * An iterator over a source that stops at once when the client leaves. A generator alone would not: its `return` waits for the
 * event that it is waiting for, which may be hours away.
 */
export function abortable<Item>(open: (signal: AbortSignal) => AsyncIterable<Item>): AsyncIterableIterator<Item> {
  const controller = new AbortController()
  const source = open(controller.signal)[Symbol.asyncIterator]()
  return {
    next: async () => {
      try {
        return await source.next()
      } catch (error) {
        // What a source throws because it was told to stop is no failure.
        if (controller.signal.aborted) return { done: true, value: undefined }
        throw error
      }
    },
    return: () => {
      controller.abort()
      // Not awaited: a generator answers `return` only when what it waits for has come.
      source.return?.().catch(() => undefined)
      return Promise.resolve({ done: true, value: undefined })
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}
