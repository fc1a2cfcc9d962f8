import { Alert, Button, Center, Loader, Paper, Stack, Text, Title } from '@mantine/core'
import type { ReactNode } from 'react'

/** Something comes. */
export const Loading = ({ what = 'Loading' }: { readonly what?: string }) => (
  <Center p="lg" role="status">
    <Loader size="sm" aria-hidden mr="xs" />
    <Text c="dimmed">{what} …</Text>
  </Center>
)

/** A page comes. */
export const PageLoading = () => <Loading what="Loading the page" />

/** Why something was not done, line by line as the server says it. */
export const Refusal = ({ title, children }: { readonly title: string; readonly children: string }) => (
  <Alert color="red" role="alert" title={title}>
    <Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>
      {children}
    </Text>
  </Alert>
)

/** Why something is not there, and a way to try again. */
export function Failure({
  error,
  retry,
}: {
  readonly error: { readonly message: string }
  readonly retry?: (() => void) | undefined
}) {
  return (
    <Alert color="red" role="alert" title="This could not be loaded">
      <Stack align="flex-start" gap="xs">
        <Text size="sm" style={{ whiteSpace: 'pre-wrap' }}>
          {error.message}
        </Text>
        {retry !== undefined && (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Stack>
    </Alert>
  )
}

/** Nothing is there yet, and what to do about it. */
export const Empty = ({ title, children }: { readonly title: string; readonly children?: ReactNode }) => (
  <Paper withBorder p="lg">
    <Stack align="center" gap="xs">
      <Text fw={600}>{title}</Text>
      {children}
    </Stack>
  </Paper>
)

/** What a query has to say before its data. */
interface QueryState<Data> {
  readonly data?: Data | undefined
  readonly error?: { readonly message: string } | undefined
  readonly loading: boolean
  readonly refetch?: () => unknown
}

/** The three states of a query. */
export function Loaded<Data>({
  query,
  children,
}: {
  readonly query: QueryState<Data>
  readonly children: (data: NonNullable<Data>) => ReactNode
}) {
  if (query.data != null) return children(query.data)
  if (query.error !== undefined)
    return <Failure error={query.error} retry={query.refetch === undefined ? undefined : () => void query.refetch!()} />
  return <Loading />
}

/** A titled part of a page. */
export function Section({
  title,
  actions,
  children,
}: {
  readonly title: string
  readonly actions?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Stack gap="sm">
        <div style={{ display: 'flex', justifyContent: 'space-between', gap: 8, flexWrap: 'wrap' }}>
          <Title order={2} size="h4">
            {title}
          </Title>
          {actions}
        </div>
        {children}
      </Stack>
    </Paper>
  )
}
