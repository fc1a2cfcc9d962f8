import { useQuery } from '@apollo/client/react'
import { Group, Paper, Text, UnstyledButton } from '@mantine/core'
import { Link } from 'react-router'
import { headline } from '../../api/run-task.ts'
import { shown } from '../../component/format.ts'
import { Sparkline } from '../../component/sparkline.tsx'
import { ModelTrendsDocument } from '../../generated/graphql.ts'

/** The newest models, and how their F1 went over their last runs. */
export function ModelTrends() {
  const { data } = useQuery(ModelTrendsDocument)
  const trends = (data?.models.nodes ?? []).flatMap(({ id, name, task, runs }) => {
    const wanted = headline(task)
    const values = runs.nodes
      .flatMap(({ summary }) => summary.find((each) => each.name === wanted)?.value ?? [])
      .reverse()
    return values.length === 0 ? [] : [{ id, name, values, label: wanted === 'f1' ? 'F1' : 'R²' }]
  })
  if (trends.length === 0) return null
  return (
    <Group gap="xs" mb="sm" component="ul" p={0} m={0} style={{ listStyle: 'none' }}>
      {trends.map(({ id, name, values, label }) => (
        <Paper key={id} withBorder px="sm" py={6} component="li">
          <UnstyledButton component={Link} to={`/runs?model=${id}`} title={`Runs of ${name}`}>
            <Group gap="sm" wrap="nowrap">
              <div>
                <Text size="sm" fw={600}>
                  {name}
                </Text>
                <Text size="xs" c="dimmed">
                  {label} {shown(values.at(-1))}
                </Text>
              </div>
              <Sparkline values={values} label={`${label} of the last ${values.length} runs of ${name}`} />
            </Group>
          </UnstyledButton>
        </Paper>
      ))}
    </Group>
  )
}
