import { Box, Text } from '@mantine/core'
import { Empty } from '../../component/state.tsx'
import type { Line } from './live-run.ts'

/** What a run said. */
export function RunLog({ lines }: { readonly lines: readonly Line[] }) {
  if (lines.length === 0) return <Empty title="The run has said nothing" />
  return (
    <Box className="scroll" mah={320} tabIndex={0} role="log" aria-label="Log of the run">
      {lines.map(({ at, level, message }, i) => (
        <Text key={i} className="mono" c={level === 'error' ? 'var(--mantine-color-error)' : undefined}>
          <time dateTime={at} title={at}>
            {new Date(at).toLocaleTimeString()}
          </time>{' '}
          {level === 'info' ? '' : `${level}: `}
          {message}
        </Text>
      ))}
    </Box>
  )
}
