import { createBrowserRouter, type LoaderFunctionArgs } from 'react-router'
import { Shell } from './shell.tsx'
import { NotFound, PageFailed } from '../component/not-found.tsx'
import { PageLoading } from '../component/state.tsx'
import { primeRuns } from '../page/runs/fetch-runs.ts'
import { RunsPage } from '../page/runs/runs-page.tsx'

const primed = ({ request }: LoaderFunctionArgs): null => {
  primeRuns(new URL(request.url).searchParams)
  return null
}

/** The page of all runs is there at once; every other page is loaded when it is opened. */
export const router = createBrowserRouter([
  {
    path: '/',
    Component: Shell,
    ErrorBoundary: PageFailed,
    HydrateFallback: PageLoading,
    children: [
      {
        ErrorBoundary: PageFailed,
        children: [
          { index: true, Component: RunsPage, loader: primed },
          { path: 'runs', Component: RunsPage, loader: primed },
          { path: 'runs/:id', lazy: async () => ({ Component: (await import('../page/run/run-page.tsx')).RunPage }) },
          {
            path: 'models',
            lazy: async () => ({ Component: (await import('../page/models/models-page.tsx')).ModelsPage }),
          },
          {
            path: 'models/:id',
            lazy: async () => ({ Component: (await import('../page/models/model-page.tsx')).ModelPage }),
          },
          {
            path: 'checkpoints/:id',
            lazy: async () => ({ Component: (await import('../page/checkpoint/checkpoint-page.tsx')).CheckpointPage }),
          },
          {
            path: 'diff',
            lazy: async () => ({ Component: (await import('../page/checkpoint/diff-page.tsx')).DiffPage }),
          },
          {
            path: 'datasets',
            lazy: async () => ({ Component: (await import('../page/datasets/datasets-page.tsx')).DatasetsPage }),
          },
          {
            path: 'datasets/:id',
            lazy: async () => ({ Component: (await import('../page/datasets/dataset-page.tsx')).DatasetPage }),
          },
          {
            path: 'compare',
            lazy: async () => ({ Component: (await import('../page/compare/compare-page.tsx')).ComparePage }),
          },
          {
            path: 'start',
            lazy: async () => ({ Component: (await import('../page/start/start-page.tsx')).StartPage }),
          },
          {
            path: 'system',
            lazy: async () => ({ Component: (await import('../page/system/system-page.tsx')).SystemPage }),
          },
          { path: '*', Component: NotFound },
        ],
      },
    ],
  },
])
