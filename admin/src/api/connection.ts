import { useSyncExternalStore } from 'react'

// Whether what is watched cannot be watched at the moment; shown by the shell.
let lost = false
const listeners = new Set<() => void>()

/** What the WebSocket client tells: it tries again when something was being watched, else it leaves the socket closed. */
export function connectionChanged(to: 'there' | 'tried again'): void {
  const now = to === 'tried again'
  if (lost === now) return
  lost = now
  for (const listener of listeners) listener()
}

/** Whether live updates are interrupted. */
export const useConnectionLost = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => lost,
  )
