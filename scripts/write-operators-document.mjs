// `npm run docs:operators`: writes docs/operators.md from the tables of operators, engines and layers.
import { writeFileSync } from 'node:fs'
import { format, resolveConfig } from 'prettier'
import { setUp } from './setup.mjs'

await setUp()
const { operatorsDocument } = await import('../dist/main/operators-document.js')
const path = new URL('../docs/operators.md', import.meta.url)
const options = await resolveConfig(path)
writeFileSync(path, await format(operatorsDocument(), { ...options, parser: 'markdown' }))
