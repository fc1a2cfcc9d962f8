import { useMutation } from '@apollo/client/react'
import { Button, Group, JsonInput, Select, Stack, Text, TextInput } from '@mantine/core'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { FileDrop } from '../../component/file-drop.tsx'
import { TransferList } from '../../component/transfer-list.tsx'
import { useTransfers } from '../../component/upload.ts'
import { Refusal } from '../../component/state.tsx'
import { CreateModelDocument, type Task } from '../../generated/graphql.ts'

const TASKS = [
  { value: 'BINARY', label: 'binary: yes or no' },
  { value: 'MULTICLASS', label: 'multiclass: one of several' },
  { value: 'MULTILABEL', label: 'multilabel: any of several' },
  { value: 'REGRESSION', label: 'regression: numbers' },
]

const EXAMPLE = '{"layers": [{"type": "Linear", "in_features": 4, "out_features": 3}], "input": [4]}'

/** A new model: a name, a task, class names, and an architecture as a file or a list of layers. */
export function CreateModel() {
  const navigate = useNavigate()
  const [name, setName] = useState('')
  const [task, setTask] = useState<Task>('MULTICLASS')
  const [classes, setClasses] = useState('')
  const [layers, setLayers] = useState('')
  const [file, setFile] = useState<File | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const { transfers, send, cancel } = useTransfers()
  const [create, { loading }] = useMutation(CreateModelDocument, {
    update: (cache) => void cache.evict({ fieldName: 'models' }),
  })

  const submit = async (): Promise<void> => {
    setProblem(null)
    try {
      const architecture =
        file === null ? { layers: JSON.parse(layers) as unknown } : { uploadId: (await send([file]))[0]! }
      const names = classes.split(',').flatMap((each) => each.trim() || [])
      const { data } = await create({
        variables: { input: { name, task, architecture, ...(names.length === 0 ? {} : { classes: names }) } },
      })
      const { model, errors } = data!.createModel
      if (model === null) setProblem(errors.map(({ message }) => message).join('\n'))
      else void navigate(`/models/${model.id}`)
    } catch (error) {
      setProblem(error instanceof SyntaxError ? `The layers are no JSON: ${error.message}` : (error as Error).message)
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      <Stack gap="sm">
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <TextInput
            label="Name"
            required
            value={name}
            onChange={({ currentTarget }) => setName(currentTarget.value)}
          />
          <Select
            label="Task"
            allowDeselect={false}
            value={task}
            onChange={(value) => setTask(value as Task)}
            data={TASKS}
          />
          {task !== 'REGRESSION' && (
            <TextInput
              label="Class names"
              description={
                task === 'BINARY' ? 'the negative, then the positive one' : 'by index, with commas; 0, 1, … without'
              }
              value={classes}
              onChange={({ currentTarget }) => setClasses(currentTarget.value)}
            />
          )}
        </Group>
        <FileDrop
          label="Choose the architecture"
          hint="An ONNX file whose initializers are named by state_dict keys, or a JSON list of torch.nn layers."
          accept=".onnx,.json"
          onFiles={([first]) => setFile(first!)}
        />
        {file === null ? (
          <JsonInput
            label="or the layers"
            placeholder={EXAMPLE}
            formatOnBlur
            autosize
            minRows={3}
            maxRows={14}
            value={layers}
            onChange={setLayers}
          />
        ) : (
          <Text size="sm">Architecture: {file.name}</Text>
        )}
        <TransferList transfers={transfers} onStop={cancel} />
        {problem !== null && <Refusal title="The model was not created">{problem}</Refusal>}
        <Group>
          <Button type="submit" loading={loading} disabled={name === '' || (file === null && layers === '')}>
            Create the model
          </Button>
        </Group>
      </Stack>
    </form>
  )
}
