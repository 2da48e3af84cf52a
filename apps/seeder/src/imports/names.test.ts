import { expect, test } from 'vitest'
import { nameOf, plainName } from './names.ts'

const url = (path: string): URL => new URL(path, 'http://a.example/')

test.each([
  ['attachment; filename="a b.mp4"', '/x', 'a b.mp4'],
  ["attachment; filename*=UTF-8''%e2%82%ac.mp4", '/x', '€.mp4'],
  ['attachment; filename="../../etc/passwd"', '/x', 'passwd'],
  ['attachment; filename="C:\\\\Windows\\\\x.exe"', '/y', 'x.exe'],
  ['attachment; filename=".."', '/film.mp4', 'film.mp4'],
  ['attachment; filename=""', '/film.mp4', 'film.mp4'],
  ['attachment', '/film.mp4?download=x.sh', 'film.mp4'],
  ['=;;nonsense', '/film.mp4', 'film.mp4'],
  [undefined, '/a/b%20c.mp4', 'b c.mp4'],
  [undefined, '/a/%2e%2e%2fetc%2fpasswd', 'passwd'],
  [undefined, '/a/b/', 'b'],
  [undefined, '/%ff.mp4', '%ff.mp4'],
  [undefined, '/x%00%0ay', 'xy'],
  [undefined, '/', 'a.example'],
])('%s at %s is called %s', (disposition, path, name) => {
  expect(nameOf(disposition, url(path))).toBe(name)
})

test('a long name keeps its extension', () => {
  expect(plainName(`${'ü'.repeat(300)}.mp4`)).toBe(`${'ü'.repeat(125)}.mp4`)
  expect(plainName('x'.repeat(300))).toBe('x'.repeat(255))
})

test.each(['', '.', '..', '/', '\\', ' ', '\u0000'])('%j is no name', (text) => {
  expect(plainName(text)).toBeUndefined()
})
