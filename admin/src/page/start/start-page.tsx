import { useQuery } from '@apollo/client/react'
import { Anchor, Text } from '@mantine/core'
import { Link, useSearchParams } from 'react-router'
import { PageTitle } from '../../component/page-title.tsx'
import { Empty, Loaded } from '../../component/state.tsx'
import { StartChoicesDocument } from '../../generated/graphql.ts'
import { StartForm } from './start-form.tsx'

/** Starts a run: the newest checkpoint on the newest dataset is chosen already. */
export function StartPage() {
  const [search] = useSearchParams()
  const query = useQuery(StartChoicesDocument, { fetchPolicy: 'cache-and-network' })
  return (
    <>
      <PageTitle title="Start a run" />
      <Loaded query={query}>
        {(choices) =>
          choices.checkpoints.nodes.length === 0 || choices.datasets.nodes.length === 0 ? (
            <Empty
              title={
                choices.checkpoints.nodes.length === 0
                  ? 'There is no checkpoint to evaluate'
                  : 'There is no dataset to evaluate on'
              }
            >
              <Text size="sm">A run evaluates a checkpoint of a model on a dataset.</Text>
              <Anchor component={Link} to={choices.checkpoints.nodes.length === 0 ? '/models' : '/datasets'}>
                {choices.checkpoints.nodes.length === 0 ? 'Models and their checkpoints' : 'Datasets'}
              </Anchor>
            </Empty>
          ) : (
            <StartForm key={search.toString()} choices={choices} search={search} />
          )
        }
      </Loaded>
    </>
  )
}
