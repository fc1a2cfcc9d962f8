/**
 * A promise that rejects with the signal's reason when it is aborted, to race others with; null without a signal. Dispose it, or
 * a signal that outlives many races collects their listeners.
 */
export function abortedOf(signal: AbortSignal | undefined): ({ readonly promise: Promise<never> } & Disposable) | null {
  if (signal === undefined) return null
  let onAbort = (): void => undefined
  const promise = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      // The reason is what the aborter chose to tell, an Error or not.
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
      reject(signal.reason)
    }
  })
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  // A race that was decided before leaves this rejection without a listener.
  promise.catch(() => undefined)
  return {
    promise,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', onAbort)
    },
  }
}
