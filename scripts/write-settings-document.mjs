// `npm run docs:settings`: writes docs/settings.md from the table in src/main/settings.ts.
import { writeFileSync } from 'node:fs'
import { setUp } from './setup.mjs'

await setUp()
const { settingsDocument } = await import('../dist/main/settings-document.js')
writeFileSync(new URL('../docs/settings.md', import.meta.url), settingsDocument())
