/** What is to be said of a platform that is ready. */
export interface WelcomeFacts {
  readonly url: string
  readonly database: string
  readonly dataDir: string
  readonly development: boolean
  readonly milliseconds: number
}

/** Shows what is there even on a platform without any run. */
const QUERY = '{ runs(first: 1) { nodes { name status samples metrics(names: ["f1"]) { average class value } } } }'

/** Addresses, and a first query to paste. */
export function welcome({ url, database, dataDir, development, milliseconds }: WelcomeFacts): string {
  const body = JSON.stringify({ query: QUERY })
  return [
    '',
    `nograd is ready (${(milliseconds / 1000).toFixed(1)} s)`,
    '',
    `  admin      ${url}/`,
    ...(development ? [`  explorer   ${url}/explorer`] : []),
    `  GraphQL    ${url}/graphql   (queries, mutations; subscriptions by WebSocket)`,
    `  uploads    ${url}/uploads`,
    `  health     ${url}/healthz  ${url}/readyz`,
    `  data       ${database}`,
    `  log        ${dataDir}/logs/nograd.log`,
    '',
    'A first query, for the explorer:',
    '',
    `  ${QUERY}`,
    '',
    'or for a terminal:',
    '',
    `  curl -s ${url}/graphql -H 'content-type: application/json' -d '${body}'`,
    '',
    'Evaluate your own checkpoint: npx nograd evaluate --help',
    'Ctrl-C stops it.',
  ].join('\n')
}
