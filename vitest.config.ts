import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/check/longest-first.ts'

const source = { conditions: ['@eldernode/source', 'module', 'node', 'import', 'default'] }
const exclude = ['**/node_modules/**', '**/dist/**']

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve: source,
        ssr: { resolve: source },
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude,
          // One less than the cores, as is usual, is half of a machine of two.
          maxWorkers: availableParallelism(),
          setupFiles: ['scripts/check/patience.ts'],
          // Real files, sockets and processes on a machine that may be busy with more than this.
          testTimeout: 30_000,
          hookTimeout: 30_000,
        },
      },
      {
        resolve: source,
        ssr: { resolve: source },
        test: {
          name: 'system',
          include: ['test/{e2e,interop,chaos,simulation}/**/*.test.ts'],
          exclude,
          // They mostly wait, each for processes of its own on ports and in folders that nobody shares.
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
})
