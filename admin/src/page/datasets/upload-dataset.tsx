import { useApolloClient, useMutation } from '@apollo/client/react'
import { Button, Checkbox, Group, Select, Stack, Table, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { shape } from '../../component/format.ts'
import { FileDrop } from '../../component/file-drop.tsx'
import { Loading, Refusal } from '../../component/state.tsx'
import { Value } from '../../component/text.tsx'
import { TransferList } from '../../component/transfer-list.tsx'
import { useTransfers } from '../../component/upload.ts'
import {
  CreateDatasetDocument,
  PreviewUploadDocument,
  type ColumnRole,
  type PreviewPartsFragment,
  type PreviewUploadInput,
} from '../../generated/graphql.ts'
import { ClassBalance } from './class-balance.tsx'
import { WideTable } from '../../component/wide-table.tsx'

const ROLES: readonly { readonly value: ColumnRole; readonly label: string }[] = [
  { value: 'FEATURE', label: 'feature' },
  { value: 'LABEL', label: 'label' },
  { value: 'SLICE', label: 'slice' },
  { value: 'WEIGHT', label: 'weight' },
  { value: 'ID', label: 'id' },
]

type Roles = Readonly<Record<string, ColumnRole>>

/** Sends a file of samples, shows what its columns would be for, and imports it so. */
export function UploadDataset() {
  const client = useApolloClient()
  const navigate = useNavigate()
  const { transfers, send, cancel } = useTransfers()
  const [upload, setUpload] = useState<{ readonly id: string; readonly preview: PreviewPartsFragment } | null>(null)
  const [name, setName] = useState('')
  const [roles, setRoles] = useState<Roles>({})
  const [resize, setResize] = useState('')
  const [grayscale, setGrayscale] = useState(false)
  const [looking, setLooking] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const [create, { loading }] = useMutation(CreateDatasetDocument, {
    update: (cache) => void cache.evict({ fieldName: 'datasets' }),
  })

  const images = (): Pick<PreviewUploadInput, 'images'> => {
    const sizes = resize.split(',').flatMap((each) => (each.trim() === '' ? [] : [Number(each)]))
    return sizes.length === 0 && !grayscale
      ? {}
      : { images: { grayscale, ...(sizes.length === 0 ? {} : { resize: sizes }) } }
  }
  const look = async (uploadId: string, chosen: Roles | null): Promise<void> => {
    setLooking(true)
    setProblem(null)
    try {
      const { data } = await client.query({
        query: PreviewUploadDocument,
        variables: { input: { uploadId, ...images(), ...(chosen === null ? {} : rolesInput(chosen)) } },
        fetchPolicy: 'network-only',
      })
      const preview = data!.previewUpload
      setUpload({ id: uploadId, preview })
      setRoles(Object.fromEntries(preview.columns.map((column) => [column.name, column.role])))
    } catch (error) {
      setProblem((error as Error).message)
      setUpload((before) => before ?? { id: uploadId, preview: NOTHING })
    } finally {
      setLooking(false)
    }
  }
  const take = async ([file]: readonly File[]): Promise<void> => {
    setUpload(null)
    setProblem(null)
    setName((before) => before || file!.name.replace(/(\.[a-z0-9]+)+$/i, ''))
    try {
      const [id] = await send([file!])
      await look(id!, null)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  const importIt = async (): Promise<void> => {
    setProblem(null)
    try {
      const { data } = await create({
        variables: { input: { name, uploadId: upload!.id, ...images(), ...rolesInput(roles) } },
      })
      const { dataset, errors } = data!.createDataset
      if (dataset === null) setProblem(errors.map(({ message }) => message).join('\n'))
      else void navigate(`/datasets/${dataset.id}`)
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  return (
    <Stack gap="sm">
      <FileDrop
        label="Choose a dataset"
        hint=".npz, .npy, .safetensors, .pt, .csv, .jsonl, .parquet, .arrow, IDX, or a .zip or .tar of images or shards."
        accept=".npz,.npy,.safetensors,.pt,.pth,.csv,.tsv,.jsonl,.ndjson,.parquet,.arrow,.feather,.zip,.tar,.tgz,.gz"
        disabled={looking || loading}
        onFiles={(files) => void take(files)}
      />
      <TransferList transfers={transfers} onStop={cancel} />
      {looking && <Loading what="Looking at its first rows" />}
      {problem !== null && <Refusal title="It cannot be imported so">{problem}</Refusal>}
      {upload !== null && (
        <>
          {upload.preview.columns.length > 0 && (
            <RoleTable
              preview={upload.preview}
              roles={roles}
              onChange={(column, role) => setRoles({ ...roles, [column]: role })}
            />
          )}
          <Group align="flex-end">
            <TextInput
              label="Resize images to"
              description="the shorter edge, or height, width"
              value={resize}
              onChange={({ currentTarget }) => setResize(currentTarget.value)}
            />
            <Checkbox
              label="One channel"
              checked={grayscale}
              onChange={({ currentTarget }) => setGrayscale(currentTarget.checked)}
            />
            <Button
              variant="default"
              onClick={() => void look(upload.id, upload.preview.columns.length === 0 ? null : roles)}
            >
              Look again with these choices
            </Button>
          </Group>
          {upload.preview.classBalance.length > 0 && (
            <ClassBalance balance={upload.preview.classBalance} rows={upload.preview.rows} />
          )}
          <Group align="flex-end">
            <TextInput
              label="Name"
              description="a name that is there already gets another version"
              required
              value={name}
              onChange={({ currentTarget }) => setName(currentTarget.value)}
            />
            <Button loading={loading} disabled={name === ''} onClick={() => void importIt()}>
              Import the dataset
            </Button>
          </Group>
        </>
      )}
    </Stack>
  )
}

const NOTHING: PreviewPartsFragment = { format: '', rows: 0, columns: [], classBalance: [] }

function RoleTable({
  preview,
  roles,
  onChange,
}: {
  readonly preview: PreviewPartsFragment
  readonly roles: Roles
  readonly onChange: (column: string, role: ColumnRole) => void
}) {
  return (
    <WideTable label="Columns and what they are for" minWidth={620} maxHeight={420}>
      <Table.Thead>
        <Table.Tr>
          <Table.Th>Column</Table.Th>
          <Table.Th>Is for</Table.Th>
          <Table.Th>Type</Table.Th>
          <Table.Th className="numbers">From</Table.Th>
          <Table.Th className="numbers">To</Table.Th>
          <Table.Th className="numbers">Mean</Table.Th>
          <Table.Th className="numbers">Missing</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {preview.columns.map((column) => (
          <Table.Tr key={column.name}>
            <Table.Td>{column.name}</Table.Td>
            <Table.Td>
              <Select
                size="xs"
                w={110}
                allowDeselect={false}
                aria-label={`What ${column.name} is for`}
                data={ROLES}
                value={roles[column.name] ?? column.role}
                onChange={(value) => onChange(column.name, value as ColumnRole)}
              />
            </Table.Td>
            <Table.Td>
              {column.dtype}
              {column.shape.length > 0 && shape(column.shape)}
            </Table.Td>
            <Table.Td className="numbers">
              <Value value={column.min} />
            </Table.Td>
            <Table.Td className="numbers">
              <Value value={column.max} />
            </Table.Td>
            <Table.Td className="numbers">
              <Value value={column.mean} />
            </Table.Td>
            <Table.Td className="numbers">{column.missing}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </WideTable>
  )
}

function rolesInput(roles: Roles): Omit<PreviewUploadInput, 'uploadId' | 'images' | 'delimiter'> {
  const of = (role: ColumnRole): string[] =>
    Object.entries(roles).flatMap(([name, each]) => (each === role ? [name] : []))
  const [labels, features, slices] = [of('LABEL'), of('FEATURE'), of('SLICE')]
  const [weight, id] = [of('WEIGHT')[0], of('ID')[0]]
  return {
    ...(labels.length === 0 ? {} : { labelColumn: labels.join(',') }),
    ...(features.length === 0 ? {} : { featureColumns: features }),
    ...(slices.length === 0 ? {} : { sliceColumns: slices }),
    ...(weight === undefined ? {} : { weightColumn: weight }),
    ...(id === undefined ? {} : { idColumn: id }),
  }
}
