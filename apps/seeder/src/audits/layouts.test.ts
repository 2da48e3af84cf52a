import { expect, test } from 'vitest'
import { Layout } from './layouts.ts'

const files = [
  { sha256: 'a', size: 10 },
  { sha256: 'empty', size: 0 },
  { sha256: 'b', size: 3 },
  { sha256: 'c', size: 12 },
]

test('a piece lies in the files under it, empty ones aside; the last one is shorter', () => {
  const layout = new Layout(8, files)
  expect(layout.piece(0)).toEqual([{ sha256: 'a', position: 0, at: 0, length: 8 }])
  expect(layout.piece(1)).toEqual([
    { sha256: 'a', position: 8, at: 0, length: 2 },
    { sha256: 'b', position: 0, at: 2, length: 3 },
    { sha256: 'c', position: 0, at: 5, length: 3 },
  ])
  expect(layout.piece(3)).toEqual([{ sha256: 'c', position: 11, at: 0, length: 1 }])
  expect([0, 1, 2, 3, 4].map((piece) => layout.lengthOf(piece))).toEqual([8, 8, 8, 1, 0])
})

test('there is no piece behind the last one', () => {
  expect(new Layout(8, files).piece(4)).toEqual([])
  expect(new Layout(8, files).piece(2 ** 31)).toEqual([])
})
