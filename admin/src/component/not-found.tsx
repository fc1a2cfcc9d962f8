import { Alert, Anchor, Button, Stack, Title } from '@mantine/core'
import { Link, useRouteError } from 'react-router'

/** An address that is no page. */
export function NotFound() {
  return (
    <Stack>
      <Title order={1}>There is no such page</Title>
      <Anchor component={Link} to="/runs">
        All runs
      </Anchor>
    </Stack>
  )
}

/** A page that could not be loaded or shown: after an update of the server its old files are gone. */
export function PageFailed() {
  const error = useRouteError()
  return (
    <Alert color="red" title="This page could not be shown" role="alert" m="md">
      <Stack align="flex-start">
        {error instanceof Error ? error.message : String(error)}
        <Button onClick={() => location.reload()}>Load it again</Button>
      </Stack>
    </Alert>
  )
}
