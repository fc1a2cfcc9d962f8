import { useApolloClient } from '@apollo/client/react'
import { Button } from '@mantine/core'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { announce } from './announce.tsx'

/** Deletes something after a question, and goes on to another page; what keeps it from that is said. */
export function DeleteButton({
  of,
  question,
  remove,
  then,
}: {
  readonly of: { readonly __typename: string; readonly id: string }
  readonly question: string
  /** @returns why it was not deleted. */
  readonly remove: () => Promise<readonly { readonly message: string }[]>
  readonly then: string
}) {
  const navigate = useNavigate()
  const { cache } = useApolloClient()
  const [busy, setBusy] = useState(false)
  const act = async (): Promise<void> => {
    if (!window.confirm(question)) return
    setBusy(true)
    try {
      const errors = await remove()
      for (const { message } of errors) announce(message, true)
      if (errors.length > 0) return
      await navigate(then)
      // From lists that were loaded before, too; not while its own page is still there.
      cache.evict({ id: cache.identify(of)! })
      cache.gc()
    } catch (error) {
      announce((error as Error).message, true)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button size="xs" variant="default" loading={busy} onClick={() => void act()}>
      Delete
    </Button>
  )
}
