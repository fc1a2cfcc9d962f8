import { useMutation } from '@apollo/client/react'
import { Button, Group, Text } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { announce } from '../../component/announce.tsx'
import { CancelRunDocument, DeleteRunDocument, type RunRowFragment } from '../../generated/graphql.ts'

const isOver = ({ status }: RunRowFragment): boolean => status !== 'QUEUED' && status !== 'RUNNING'

/** What can be done with the runs that are chosen. */
export function BulkActions({
  runs,
  onDone,
}: {
  readonly runs: readonly RunRowFragment[]
  readonly onDone: (deleted: readonly string[]) => void
}) {
  const [cancel] = useMutation(CancelRunDocument)
  const [remove] = useMutation(DeleteRunDocument)
  const [asked, setAsked] = useState(false)
  if (runs.length === 0) return null
  const live = runs.filter((run) => !isOver(run))
  const over = runs.filter(isOver)
  const succeeded = runs.filter(({ status }) => status === 'SUCCEEDED')

  const each = async (
    wanted: readonly RunRowFragment[],
    act: (id: string) => Promise<readonly { readonly message: string }[]>,
    done: string,
  ): Promise<readonly string[]> => {
    const fine: string[] = []
    for (const { id, name } of wanted) {
      try {
        const errors = await act(id)
        if (errors.length === 0) fine.push(id)
        else announce(`${name ?? id}: ${errors.map(({ message }) => message).join('; ')}`, true)
      } catch (error) {
        announce(`${name ?? id}: ${error instanceof Error ? error.message : String(error)}`, true)
      }
    }
    announce(`${fine.length} of ${wanted.length} ${done}`)
    return fine
  }
  const cancelAll = async (): Promise<void> => {
    await each(
      live,
      async (runId) => (await cancel({ variables: { runId } })).data?.cancelRun.errors ?? [],
      'cancelled',
    )
    onDone([])
  }
  const deleteAll = async (): Promise<void> => {
    setAsked(false)
    onDone(
      await each(
        over,
        async (runId) => (await remove({ variables: { runId } })).data?.deleteRun.errors ?? [],
        'deleted',
      ),
    )
  }
  return (
    <Group gap="xs" mb="sm" role="group" aria-label="What to do with the chosen runs">
      <Text size="sm">{runs.length} chosen</Text>
      {succeeded.length >= 2 && succeeded.length <= 10 && (
        <Button size="xs" component={Link} to={`/compare?runs=${succeeded.map(({ id }) => id).join(',')}`}>
          Compare {succeeded.length}
        </Button>
      )}
      <Button size="xs" variant="default" disabled={live.length === 0} onClick={() => void cancelAll()}>
        Cancel {live.length > 0 ? live.length : ''}
      </Button>
      {asked ? (
        <>
          <Button size="xs" color="red" onClick={() => void deleteAll()}>
            Delete {over.length} for good
          </Button>
          <Button size="xs" variant="default" onClick={() => setAsked(false)}>
            Keep
          </Button>
        </>
      ) : (
        <Button size="xs" variant="default" disabled={over.length === 0} onClick={() => setAsked(true)}>
          Delete {over.length > 0 ? over.length : ''} …
        </Button>
      )}
    </Group>
  )
}
