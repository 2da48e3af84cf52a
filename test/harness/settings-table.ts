import { describeSettings } from '@eldernode/core'

const cell = (text: string): string => text.replaceAll('|', '\\|')
const code = (text: string): string => (text === '' ? '' : `\`${cell(text)}\``)

/** Every setting of a schema as a Markdown table. */
export const settingsTable = (schema: Parameters<typeof describeSettings>[0]): string =>
  [
    '| setting | environment | default | what it does |',
    '| --- | --- | --- | --- |',
    ...describeSettings(schema).map(
      (row) => `| ${code(row.key)} | ${code(row.env)} | ${code(row.default)} | ${cell(row.description)} |`,
    ),
  ].join('\n')
