import { expect, test } from 'vitest'
import { Delimiters } from './delimiters.ts'

const form = Buffer.from('--B\r\n\r\none\r\n--B\r\n\r\n\r\n-\r\n--\r\n--B\r\n\r\nx--B inside--B\r\n--B--\r\n')

test.each([1, 2, 3, 4, 5, 7, 100])('counts the parts of a form in chunks of %i bytes', (size) => {
  const delimiters = new Delimiters('B')
  for (let at = 0; at < form.length; at += size) delimiters.push(form.subarray(at, at + size))
  expect(delimiters.parts).toBe(3)
})

test.each([
  ['multipart/form-data; boundary=B', 3],
  ['multipart/form-data; charset=utf-8; Boundary="B"', 3],
  ['multipart/form-data', undefined],
  [undefined, undefined],
])('reads the boundary of %s', (type, parts) => {
  const delimiters = Delimiters.of(type)
  delimiters?.push(form)
  expect(delimiters?.parts).toBe(parts)
})
