import { useMutation } from '@apollo/client/react'
import { Alert, Anchor, Group, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import { Link } from 'react-router'
import { BindingPanel } from '../../component/binding-panel.tsx'
import { FileDrop } from '../../component/file-drop.tsx'
import { Loading, Refusal } from '../../component/state.tsx'
import { TransferList } from '../../component/transfer-list.tsx'
import { useTransfers } from '../../component/upload.ts'
import {
  CreateCheckpointDocument,
  DeleteCheckpointDocument,
  type CreateCheckpointMutation,
} from '../../generated/graphql.ts'

type Created = NonNullable<CreateCheckpointMutation['createCheckpoint']['checkpoint']>

/** Sends a checkpoint, imports it, and says how it fits. A sharded one is an index with its shards, dropped together. */
export function UploadCheckpoint({ modelId, onCreated }: { readonly modelId: string; readonly onCreated: () => void }) {
  const { transfers, send, cancel } = useTransfers()
  const [create, { loading }] = useMutation(CreateCheckpointDocument)
  const [remove] = useMutation(DeleteCheckpointDocument)
  const [files, setFiles] = useState<readonly File[]>([])
  const [created, setCreated] = useState<Created | null>(null)
  const [problem, setProblem] = useState<string | null>(null)

  const take = async (given: readonly File[], stateDictPath?: readonly string[]): Promise<void> => {
    // The index first, its shards after it.
    const ordered = [...given].sort(
      (a, b) => Number(b.name.endsWith('.index.json')) - Number(a.name.endsWith('.index.json')),
    )
    setFiles(ordered)
    setCreated(null)
    setProblem(null)
    if (ordered.length > 1 && !ordered[0]!.name.endsWith('.index.json')) {
      setProblem(
        'Drop one checkpoint at a time. Several files are one checkpoint when one of them is its index (model.safetensors.index.json).',
      )
      return
    }
    try {
      const [uploadId, ...shardUploadIds] = await send(ordered)
      const { data } = await create({
        variables: {
          input: {
            modelId,
            uploadId: uploadId!,
            ...(shardUploadIds.length === 0 ? {} : { shardUploadIds }),
            ...(stateDictPath === undefined ? {} : { stateDictPath }),
          },
        },
      })
      const { checkpoint, errors } = data!.createCheckpoint
      if (checkpoint === null) setProblem(errors.map(({ message }) => message).join('\n'))
      else {
        setCreated(checkpoint)
        onCreated()
      }
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const again = async (path: readonly string[]): Promise<void> => {
    await remove({ variables: { id: created!.id, deleteRuns: false } })
    await take(files, path)
  }
  return (
    <Stack gap="sm">
      <FileDrop
        label="Choose a checkpoint"
        hint="torch.save’s .pth, .pt or .bin, .safetensors, or an index with its shards. Nothing in it is executed."
        accept=".pth,.pt,.bin,.ckpt,.safetensors,.json"
        multiple
        disabled={loading}
        onFiles={(given) => void take(given)}
      />
      <TransferList transfers={transfers} onStop={cancel} />
      {loading && <Loading what="Importing it" />}
      {problem !== null && <Refusal title="It was not imported">{problem}</Refusal>}
      {created !== null && (
        <Stack gap="xs">
          <Group gap="xs">
            <Text size="sm">Imported as</Text>
            <Anchor component={Link} to={`/checkpoints/${created.id}`} size="sm">
              {created.name}
            </Anchor>
          </Group>
          {created.warnings.map((warning) => (
            <Alert key={warning} color="orange">
              {warning}
            </Alert>
          ))}
          <BindingPanel checkpointId={created.id} binding={created.binding} onStateDict={(path) => void again(path)} />
          {created.binding.ok && (
            <Anchor component={Link} to={`/start?checkpoint=${created.id}`} size="sm">
              Evaluate it
            </Anchor>
          )}
        </Stack>
      )}
    </Stack>
  )
}
