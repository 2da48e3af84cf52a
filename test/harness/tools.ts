import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Programs that `scripts/test` could not provide. A test that needs one is skipped and reported, never passed. */
const missing = (process.env['TEST_MISSING_TOOLS'] ?? '').split(',')

/** Whether a tool of `scripts/check/tools.ts` cannot be had here: `test.skipIf(lacks('aria2c'))`. */
export const lacks = (tool: string): boolean => missing.includes(tool)

/** Where a program of the PATH is, for callers that do not look there; its bare name when it is nowhere. */
export const programPath = (name: string): string =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path)) ?? name
