/** Programs that `scripts/test` could not provide. A test that needs one is skipped and reported, never passed. */
const missing = (process.env['TEST_MISSING_TOOLS'] ?? '').split(',')

/** Whether a tool of `scripts/check/tools.ts` cannot be had here: `test.skipIf(lacks('aria2c'))`. */
export const lacks = (tool: string): boolean => missing.includes(tool)
