import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { configSchema } from '@eldernode/seeder/config'
import { trackerSchema } from '@eldernode/tracker/config'
import { expect, test } from 'vitest'
import { settingsTable } from '../harness/settings-table.ts'

const readme = resolve(import.meta.dirname, '../../README.md')
const region = /(<!-- settings:start -->\n)(.*?)(<!-- settings:end -->)/s

/** The formatter pads cells. */
const plain = (text: string): string => text.replace(/ +\|/g, ' |').replace(/-{3,}/g, '---')

/** `UPDATE_SETTINGS=1 pnpm exec vitest run test/e2e/settings-table.test.ts` writes the tables anew. */
test('the README lists every setting as the schemas have it', async () => {
  const text = await readFile(readme, 'utf8')
  const tables = `
### Seeder

${settingsTable(configSchema)}

### Tracker

${settingsTable(trackerSchema)}

`
  const wanted = text.replace(region, (_all, start: string, _old, end: string) => start + tables + end)
  if (process.env['UPDATE_SETTINGS'] === '1') await writeFile(readme, wanted)
  expect(region.test(text)).toBe(true)
  expect(plain(await readFile(readme, 'utf8'))).toBe(plain(wanted))
})
