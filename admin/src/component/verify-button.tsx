import { Alert, Button, Group, Progress, Stack, Text } from '@mantine/core'
import { useState } from 'react'
import type { VerifiedPartFragment } from '../generated/graphql.ts'
import { bytes } from './format.ts'
import { Refusal } from './state.tsx'

/** What one part of a verification answers. */
export interface VerifiedPart {
  readonly report?: VerifiedPartFragment | null
  readonly errors: readonly { readonly message: string }[]
}

interface Verified {
  readonly bytes: number
  readonly total: number
  readonly damaged: readonly string[]
  readonly done: boolean
}

/** Verifies stored bytes, part after part, and says how far it is and what it found. */
export function VerifyButton({
  verify,
}: {
  /** @param after where the part before ended. */
  readonly verify: (after: string | null) => Promise<VerifiedPart>
}) {
  const [verified, setVerified] = useState<Verified | null>(null)
  const [problem, setProblem] = useState<string | null>(null)
  const busy = verified !== null && !verified.done && problem === null

  const act = async (): Promise<void> => {
    setProblem(null)
    let found: Verified = { bytes: 0, total: 0, damaged: [], done: false }
    setVerified(found)
    try {
      for (let after: string | null = null; ;) {
        const { report, errors } = await verify(after)
        if (report == null) throw new Error(errors[0]?.message ?? 'Nothing was verified.')
        const damaged = report.storages.flatMap((each) =>
          each.problem === null ? [] : [`${each.sha256.slice(0, 12)}…: ${each.problem}`],
        )
        found = {
          bytes: found.bytes + report.storages.reduce((sum, each) => sum + each.bytes, 0),
          total: report.totalBytes,
          damaged: [...found.damaged, ...damaged],
          done: report.next === null,
        }
        setVerified(found)
        if (report.next === null) return
        after = report.next
      }
    } catch (error) {
      setProblem((error as Error).message)
    }
  }
  return (
    <Stack gap="xs">
      <Group>
        <Button size="xs" variant="default" loading={busy} onClick={() => void act()}>
          Verify the stored bytes
        </Button>
        {busy && (
          <Progress
            flex={1}
            aria-label="Verified"
            value={verified.total === 0 ? 0 : (100 * verified.bytes) / verified.total}
          />
        )}
        <Text size="sm" role="status">
          {verified?.done === true &&
            verified.damaged.length === 0 &&
            `All ${bytes(verified.bytes)} are what was imported.`}
        </Text>
      </Group>
      {(verified?.damaged.length ?? 0) > 0 && (
        <Alert color="red" role="alert" title="Stored bytes are damaged">
          {verified!.damaged.map((line) => (
            <Text key={line} size="sm">
              {line}
            </Text>
          ))}
          <Text size="sm">Import a file that has the right ones: it replaces them.</Text>
        </Alert>
      )}
      {problem !== null && <Refusal title="They could not be verified">{problem}</Refusal>}
    </Stack>
  )
}
