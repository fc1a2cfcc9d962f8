import { ActionIcon, CopyButton, Text, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import type { RunStatus } from '../generated/graphql.ts'
import { shown } from './format.ts'

// Made once: making one costs more than writing a screen full of moments with it.
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

/** A moment, in the reader's time zone; UTC in its title. */
export function Moment({ at }: { readonly at: string | null | undefined }) {
  if (at == null) return <span>—</span>
  return (
    <time dateTime={at} title={`${at} (UTC)`}>
      {MOMENT.format(new Date(at))}
    </time>
  )
}

/** A metric's value; all of its digits in the title. */
export function Value({
  value,
  reason,
}: {
  readonly value: number | null | undefined
  readonly reason?: string | null | undefined
}) {
  return (
    <span title={value == null ? (reason ?? 'there is no value') : String(value)} data-value={value ?? ''}>
      {shown(value)}
    </span>
  )
}

/** Where a run is in its life: by word and by colour. */
export const Status = ({ status }: { readonly status: RunStatus }) => (
  <span className="status" data-status={status}>
    {status.toLowerCase()}
  </span>
)

/** Copies a text. */
export function Copy({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <CopyButton value={text}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? 'Copied' : label}>
          <ActionIcon variant="subtle" color="gray" onClick={copy} aria-label={label}>
            {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  )
}

/** A hash, shortened for the eye and whole for the clipboard. */
export const Hash = ({ value }: { readonly value: string }) => (
  <Text component="span" className="mono" title={value}>
    {value.slice(0, 12)}… <Copy text={value} label="Copy the hash" />
  </Text>
)
