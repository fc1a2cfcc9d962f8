import { useQuery } from '@apollo/client/react'
import { Anchor, Button, Checkbox, Group, Select, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { bytes } from '../../component/format.ts'
import { Loaded, Section } from '../../component/state.tsx'
import {
  CheckpointDownloadDocument,
  type BindingPartsFragment,
  type DownloadContent,
  type DownloadDtype,
  type DownloadFormat,
} from '../../generated/graphql.ts'

/** The weights as a file: which kind, for which device, in which element type. */
export function DownloadPanel({
  id,
  locations,
  proposals,
}: {
  readonly id: string
  readonly locations: readonly string[]
  readonly proposals: BindingPartsFragment['proposals']
}) {
  const [format, setFormat] = useState<DownloadFormat>('PTH')
  const [content, setContent] = useState<DownloadContent>('ALL')
  const [device, setDevice] = useState('')
  const [dtype, setDtype] = useState<DownloadDtype | null>(null)
  const fix = proposals.find(({ stateDictPath }) => stateDictPath === null)
  const [fixed, setFixed] = useState(false)
  const query = useQuery(CheckpointDownloadDocument, {
    variables: {
      id,
      format,
      content: format === 'SAFETENSORS' ? 'STATE_DICT' : content,
      ...(device === '' ? {} : { mapLocation: { device } }),
      ...(dtype === null ? {} : { dtype }),
      ...(fixed && fix !== undefined
        ? {
            keyMapping: {
              stripPrefix: fix.stripPrefix,
              addPrefix: fix.addPrefix,
              renamePrefixes: fix.renamePrefixes.map(({ from, to }) => ({ from, to })),
            },
          }
        : {}),
    },
  })
  return (
    <Section title="Download">
      <Group align="flex-end">
        <Select
          label="Format"
          allowDeselect={false}
          value={format}
          onChange={(value) => setFormat(value as DownloadFormat)}
          data={[
            { value: 'PTH', label: '.pth (torch.load)' },
            { value: 'SAFETENSORS', label: '.safetensors' },
          ]}
        />
        <Select
          label="Content"
          allowDeselect={false}
          disabled={format === 'SAFETENSORS'}
          value={format === 'SAFETENSORS' ? 'STATE_DICT' : content}
          onChange={(value) => setContent(value as DownloadContent)}
          data={[
            { value: 'ALL', label: 'everything in the file' },
            { value: 'STATE_DICT', label: 'the state_dict alone' },
          ]}
        />
        <TextInput
          label="For the device"
          description={`as saved: ${locations.join(', ') || 'cpu'}`}
          placeholder="as saved"
          list="devices"
          value={device}
          onChange={({ currentTarget }) => setDevice(currentTarget.value.trim())}
        />
        <datalist id="devices">
          <option value="cpu" />
          <option value="cuda:0" />
        </datalist>
        <Select
          label="Floats as"
          placeholder="as they are"
          clearable
          value={dtype}
          onChange={(value) => setDtype(value as DownloadDtype | null)}
          data={['FLOAT32', 'FLOAT16', 'BFLOAT16'].map((value) => ({ value, label: value.toLowerCase() }))}
        />
      </Group>
      {fix !== undefined && (
        <Checkbox
          label={fix.description}
          checked={fixed}
          onChange={({ currentTarget }) => setFixed(currentTarget.checked)}
        />
      )}
      <Loaded query={query}>
        {({ checkpoint }) =>
          checkpoint === null ? (
            <Text size="sm">There is no such checkpoint.</Text>
          ) : (
            <Stack gap="xs" align="flex-start">
              <Button component="a" href={checkpoint.download.url} download={checkpoint.download.fileName}>
                Download {checkpoint.download.fileName} ({bytes(checkpoint.download.byteLength)})
              </Button>
              <Text size="sm">
                Or with a program that resumes:{' '}
                <Anchor href={checkpoint.download.url} className="mono" inherit>
                  {checkpoint.download.url}
                </Anchor>
              </Text>
            </Stack>
          )
        }
      </Loaded>
    </Section>
  )
}
