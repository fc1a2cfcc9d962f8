import { Alert, Button, Code, Group, List, Stack, Text } from '@mantine/core'
import { Link } from 'react-router'
import type { BindingPartsFragment } from '../generated/graphql.ts'
import { shape } from './format.ts'

/** Keys that are listed; the message has all of them. */
const LISTED = 12

type Proposal = BindingPartsFragment['proposals'][number]

/** How a checkpoint fits its model, before anything is started; and what would make it fit, one click away. */
export function BindingPanel({
  checkpointId,
  binding,
  onStateDict,
}: {
  readonly checkpointId: string
  readonly binding: BindingPartsFragment
  /** Imports the file again with another state_dict, where somebody still has it. */
  readonly onStateDict?: ((path: readonly string[]) => void) | undefined
}) {
  const { ok, message, missingKeys, unexpectedKeys, sizeMismatches, casts, refused, proposals } = binding
  if (ok)
    return (
      <Alert color="green" title="It fits" role="status">
        <Stack gap="xs">
          <Text size="sm">{message}</Text>
          {casts.length > 0 && (
            <Text size="sm">
              {casts.length} values are cast, as load_state_dict does: {casts[0]!.key} from {casts[0]!.from} to{' '}
              {casts[0]!.to}
              {casts.length > 1 ? ' and others' : ''}.
            </Text>
          )}
        </Stack>
      </Alert>
    )
  return (
    <Stack gap="xs">
      <Alert color="orange" title="It does not fit as it is" role="status">
        <Stack gap="xs">
          <Keys title="Missing" keys={missingKeys} />
          <Keys title="Unexpected" keys={unexpectedKeys} />
          <Keys
            title="Of another size"
            keys={sizeMismatches.map(
              ({ key, found, expected }) => `${key}: ${shape(found)} instead of ${shape(expected)}`,
            )}
          />
          <Keys title="Not to be evaluated" keys={refused.map(({ key, dtype }) => `${key}: ${dtype}`)} />
          <details>
            <summary>In PyTorch’s words</summary>
            <Code block tabIndex={0}>
              {message}
            </Code>
          </details>
        </Stack>
      </Alert>
      {proposals.map((proposal) => (
        <Group key={proposal.description} gap="xs">
          <Text size="sm" style={{ flex: '1 1 200px' }}>
            {proposal.description}
          </Text>
          {proposal.stateDictPath === null ? (
            <Button size="xs" component={Link} to={startWith(checkpointId, proposal)}>
              Start a run with this fix
            </Button>
          ) : (
            onStateDict !== undefined && (
              <Button size="xs" onClick={() => onStateDict(proposal.stateDictPath!)}>
                Import it so
              </Button>
            )
          )}
        </Group>
      ))}
    </Stack>
  )
}

/** The address that starts a run with a fix. */
export function startWith(checkpointId: string, { stripPrefix, addPrefix, renamePrefixes, strict }: Proposal): string {
  const query = new URLSearchParams({ checkpoint: checkpointId })
  if (stripPrefix !== null) query.set('strip', stripPrefix)
  if (addPrefix !== null) query.set('add', addPrefix)
  for (const { from, to } of renamePrefixes) query.append('rename', `${from}=${to}`)
  if (!strict) query.set('strict', 'no')
  return `/start?${query.toString()}`
}

function Keys({ title, keys }: { readonly title: string; readonly keys: readonly string[] }) {
  if (keys.length === 0) return null
  return (
    <div>
      <Text size="sm" fw={600}>
        {title} ({keys.length})
      </Text>
      <List size="sm" className="mono">
        {keys.slice(0, LISTED).map((key) => (
          <List.Item key={key}>{key}</List.Item>
        ))}
        {keys.length > LISTED && <List.Item>and {keys.length - LISTED} more</List.Item>}
      </List>
    </div>
  )
}
