import { gzip as gzipCallback } from 'node:zlib'
import { promisify } from 'node:util'
import type { RequestHandler } from 'express'

const gzip = promisify(gzipCallback)

/** What the page shows before anybody has written anything. */
const FIRST_QUERY = `# nograd: write a query, press Ctrl-Enter. The book on the left is the documentation.
query Overview {
  models(first: 5) {
    nodes {
      id
      name
      task
      classes
      checkpoints(first: 3) { nodes { id name } }
    }
  }
  runs(first: 5) {
    nodes {
      id
      status
      samples
      metrics(names: ["accuracy", "f1"]) { name average class value }
    }
  }
  devices { id engine description }
}

# Watch a run: select this operation in the menu of the play button.
subscription Watch($id: ID!) {
  runProgress(id: $id) {
    seq
    kind
    status
    progress { samples total samplesPerSecond etaSeconds loss accuracy f1 }
  }
}
`

// The page is one file with everything in it: scripts and styles are inline, the editor's workers are blobs.
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline' blob:",
  "style-src 'unsafe-inline'",
  'worker-src blob:',
  "img-src 'self' data:",
  'font-src data:',
  "connect-src 'self' ws: wss:",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ')

/** The GraphQL explorer, for development. It loads nothing from anywhere else. */
export function explorerRoute(): RequestHandler {
  let page: Promise<Buffer> | undefined
  return async (request, response) => {
    response.set({
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': PAGE_POLICY,
      Vary: 'Accept-Encoding',
    })
    if (request.method === 'HEAD') {
      response.end()
      return
    }
    page ??= renderPage()
    const packed = await page
    // Everything that shows pages unpacks them.
    response.set('Content-Encoding', 'gzip').end(packed)
  }
}

/** Nine megabytes of page: made when somebody looks, and kept packed. */
async function renderPage(): Promise<Buffer> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const page = renderGraphiQL({
    title: 'nograd',
    endpoint: '/graphql',
    defaultQuery: FIRST_QUERY,
    subscriptionsProtocol: 'WS',
    defaultEditorToolsVisibility: 'variables',
  })
  return gzip(page, { level: 6 })
}
