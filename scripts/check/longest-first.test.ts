import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { long } from './longest-first.ts'

it('names files that are there', () => {
  const top = resolve(import.meta.dirname, '../..')
  expect(long.filter((path) => !existsSync(resolve(top, path)))).toEqual([])
})
