import { describeSettings } from '@eldernode/core'

const cell = (text: string): string => text.replaceAll('|', '\\|')
const code = (text: string): string => (text === '' ? '' : `\`${cell(text)}\``)

/** Every setting of a schema as a Markdown table. */
export const settingsTable = (schema: Parameters<typeof describeSettings>[0]): string => {
  const rows = describeSettings(schema)
  const hot = rows.some((row) => row.hot)
  const line = (key: string, env: string, value: string, reload: string, description: string): string =>
    `| ${[key, env, value, ...(hot ? [reload] : []), description].join(' | ')} |`
  return [
    line('setting', 'environment', 'default', 'SIGHUP', 'what it does'),
    line('---', '---', '---', '---', '---'),
    ...rows.map((row) =>
      line(code(row.key), code(row.env), code(row.default), row.hot ? 'yes' : '', cell(row.description)),
    ),
  ].join('\n')
}
