import { provideTools } from './check/tools.ts'

// Provides the tools that are named, and ends with code 1 when one cannot be had.
const missing = provideTools((line) => console.log(line), process.argv.slice(2))
for (const { tool, reason } of missing) console.error(`${tool.name} is needed: ${reason}`)
process.exitCode = missing.length === 0 ? 0 : 1
