import { Notification, Portal, Stack } from '@mantine/core'
import { useSyncExternalStore } from 'react'

interface Notice {
  readonly key: number
  readonly text: string
  readonly failed: boolean
}

let notices: readonly Notice[] = []
let next = 0
const listeners = new Set<() => void>()

function set(value: readonly Notice[]): void {
  notices = value
  for (const listener of listeners) listener()
}

const dismiss = (key: number): void => set(notices.filter((notice) => notice.key !== key))

/** Says something at the edge of the page, to screen readers too. Failures stay until somebody has read them. */
export function announce(text: string, failed = false): void {
  const key = next++
  set([...notices.slice(-3), { key, text, failed }])
  if (!failed) setTimeout(() => dismiss(key), 6000)
}

/** Where `announce` says it. */
export function Announcer() {
  const shown = useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => notices,
  )
  return (
    <Portal>
      <Stack pos="fixed" bottom={16} right={16} maw="min(420px, 90vw)" style={{ zIndex: 400 }} role="status">
        {shown.map(({ key, text, failed }) => (
          <Notification
            key={key}
            color={failed ? 'red' : 'green'}
            withBorder
            onClose={() => dismiss(key)}
            closeButtonProps={{ 'aria-label': 'Close the message' }}
            role={failed ? 'alert' : undefined}
          >
            {text}
          </Notification>
        ))}
      </Stack>
    </Portal>
  )
}
