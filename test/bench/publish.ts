import { crowd } from './publish/crowd.ts'
import { encrypted } from './publish/encrypted.ts'
import { runParts } from './parts/run.ts'
import type { Part } from './publish/figures.ts'
import { get } from './publish/get.ts'
import { multipart } from './publish/multipart.ts'
import { put } from './publish/put.ts'
import { range } from './publish/range.ts'
import { small } from './publish/small.ts'

/**
 * Putting media in and getting it out, each figure beside its reference. `scripts/bench publish` runs all parts; names
 * after it run some: `scripts/bench publish small put`.
 */
const parts: readonly Part[] = [put, encrypted, multipart, small, range, crowd, get]

const rounds = Number(process.env['ROUNDS'] ?? 5)
await runParts('publish', parts, (folder) => ({ folder, rounds }))
