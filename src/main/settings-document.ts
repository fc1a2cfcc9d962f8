import { SETTINGS } from './settings.ts'

/** docs/settings.md, from the table of settings. */
export function settingsDocument(): string {
  const sections = Object.values(SETTINGS).map(({ env, description, schema, fallback, ...rest }) => {
    const { flag, defaultText } = rest
    const names = [...env, ...(flag === undefined ? [] : [flag])].map((name) => `\`${name}\``).join(', ')
    const value = defaultText ?? `\`${String(fallback === true ? 1 : fallback)}\``
    return [
      `## ${names}`,
      '',
      description,
      '',
      `- Value: ${schema.description ?? 'text'}`,
      `- Default: ${value}`,
      '',
    ].join('\n')
  })
  return [
    '<!-- Made from src/main/settings.ts by `npm run docs:settings`. -->',
    '',
    '# Settings',
    '',
    'Of `start`, `api` and `worker`. An option wins over a variable; of several variables the first one that is set counts. An empty',
    'variable counts as not set. Secrets have no option, because other users of a machine can read the options of a process.',
    '',
    ...sections,
    '# The data folder',
    '',
    'It is the same whatever folder a command is started in, so that commands find the platform that `npm start` runs.',
    '',
    '- `postgres/`: the embedded PostgreSQL.',
    '- `spool/`: uploads that wait to be imported.',
    '- `cache/`: weights and data on a worker’s disk, made again when they are lost.',
    '- `logs/nograd.log`: what `start` and its worker log, as JSON; put aside as `nograd.log.1` when it is longer than 32 MiB.',
    '- `platform.json`: address and process number of the platform that runs here, while it runs.',
    '- `users/`: a file for each command that uses the platform. One that `nograd evaluate` started for the duration stops when none is left.',
    '',
  ].join('\n')
}
