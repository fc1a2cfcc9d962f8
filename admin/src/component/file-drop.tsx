import { Button, FileButton, Stack, Text } from '@mantine/core'
import { useState, type DragEvent } from 'react'

/** A place to drop files on, and a button for those who cannot drag. */
export function FileDrop({
  label,
  hint,
  accept,
  multiple = false,
  disabled = false,
  onFiles,
}: {
  readonly label: string
  readonly hint: string
  readonly accept: string
  readonly multiple?: boolean
  readonly disabled?: boolean
  readonly onFiles: (files: readonly File[]) => void
}) {
  const [over, setOver] = useState(false)
  const drop = (event: DragEvent): void => {
    event.preventDefault()
    setOver(false)
    const files = [...event.dataTransfer.files]
    if (!disabled && files.length > 0) onFiles(multiple ? files : files.slice(0, 1))
  }
  return (
    <div
      className="drop"
      data-over={over}
      onDragOver={(event) => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <Stack gap="xs" align="center">
        <FileButton
          multiple={multiple}
          accept={accept}
          disabled={disabled}
          inputProps={{ 'aria-label': label }}
          onChange={(chosen: File | File[] | null) => {
            const files = chosen === null ? [] : Array.isArray(chosen) ? chosen : [chosen]
            if (files.length > 0) onFiles(files)
          }}
        >
          {(props) => (
            <Button {...props} variant="default" disabled={disabled}>
              {label}
            </Button>
          )}
        </FileButton>
        <Text size="sm" c="dimmed">
          or drop it here. {hint}
        </Text>
      </Stack>
    </div>
  )
}
