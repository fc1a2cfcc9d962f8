import { Group, Title } from '@mantine/core'
import { useEffect, type ReactNode } from 'react'

/** The heading of a page, which is the title of the window too. */
export function PageTitle({
  title,
  before,
  children,
}: {
  readonly title: string
  readonly before?: ReactNode
  readonly children?: ReactNode
}) {
  useEffect(() => {
    document.title = `${title} · nograd`
  }, [title])
  return (
    <Group justify="space-between" mb="sm" gap="xs">
      <Group gap="xs" style={{ minWidth: 0 }}>
        <Title order={1} size="h2" style={{ overflowWrap: 'anywhere' }}>
          {title}
        </Title>
        {before}
      </Group>
      {children !== undefined && <Group gap="xs">{children}</Group>}
    </Group>
  )
}
