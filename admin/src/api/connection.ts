import { useSyncExternalStore } from 'react'

// Whether what is watched can be watched at the moment; shown by the shell.
let lost = false
const listeners = new Set<() => void>()

function set(value: boolean): void {
  if (lost === value) return
  lost = value
  for (const listener of listeners) listener()
}

/** The WebSocket is open. */
export const connectionThere = (): void => set(false)

/** The WebSocket was closed: by us with code 1000 when nothing is watched any more, else by an accident. */
export const connectionLost = (event: unknown): void => set((event as { code?: number } | null)?.code !== 1000)

/** Whether live updates are interrupted. */
export const useConnectionLost = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => lost,
  )
