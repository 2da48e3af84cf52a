import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { HttpHead, heads, readHead } from './http-head.ts'
import { readPath, TrackerPath } from './path.ts'

/** `scripts/nightly` takes as many as of the three parsers, and others each time. */
const total = Number(process.env['ELDERNODE_FUZZ_INPUTS'] ?? 60_000)
const compared = 300
let state = process.env['ELDERNODE_FUZZ_INPUTS'] === undefined ? 9 : Date.now() | 0
const seed = state
const pick = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return Math.floor(((state >>> 8) / 2 ** 24) * below)
}
/** The first is what is usual. */
const one = (of: readonly string[]): string => (pick(3) > 0 ? of[0] : of[pick(of.length)]) ?? ''

/** What tells one parser of HTTP from another, put together at random. */
const line = (): string => {
  const target = one([
    '/announce?info_hash=%00%ff&port=1',
    '/',
    '/scrape?a=?b',
    '/k/announce/3',
    '*',
    'http://x/y',
    '/\t',
    '/ä',
    '/#a',
    '',
  ])
  return `${one(['GET', 'GET', 'GET', 'get', 'POST', 'G'])}${one([' ', ' ', ' ', '  ', '\t'])}${target}${one([' ', ' ', '  '])}${one(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1'])}`
}
const field = (): string => {
  const name = one([
    'Host',
    'host',
    'Connection',
    'Content-Length',
    'Transfer-Encoding',
    'X-Forwarded-For',
    'Upgrade',
    'Expect',
    'Accept',
    'X',
    '',
    'Te\u{0}',
    'Sec-WebSocket-Key',
  ])
  const value = one([
    'x',
    'close',
    'keep-alive, close',
    'Upgrade',
    '0',
    '5',
    'chunked',
    '1.2.3.4',
    'websocket',
    '100-continue',
    '\u{b}',
    '\u{ff}',
    '',
    'a\rb',
    'a\u{0}b',
  ])
  return `${name}${one([':', ':', ': ', ' :', ' ', ':\t'])}${value}${one(['', ' ', '\t'])}`
}
const end = (): string => one(['\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', '\r\n ', '\r\r\n'])
const request = (): string => {
  let text = `${line()}${end()}${pick(4) === 0 ? '' : 'Host: x\r\n'}`
  for (let i = pick(4); i > 0; i--) text += field() + end()
  return `${text}\r\n${one(['', '', 'GET / HTTP/1.1\r\n', 'body', '\r\n'])}`
}

let server: Server
beforeAll(async () => {
  server = createServer((incoming, response) => {
    response.end(Buffer.from(incoming.url ?? '', 'latin1').toString('hex'))
  }).listen(0, '127.0.0.1')
  server.on('upgrade', (incoming, socket) => {
    socket.end(`HTTP/1.1 101\r\n\r\n${Buffer.from(incoming.url ?? '', 'latin1').toString('hex')}`)
  })
  await once(server, 'listening')
})
afterAll(() => server.close())

/** What `node:http` answers to bytes, each as a character. */
const answered = async (text: string): Promise<string> => {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  let answer = ''
  socket.on('data', (data: Buffer) => (answer += data.toString('latin1')))
  socket.on('error', () => socket.destroy())
  socket.end(Buffer.from(text, 'latin1'))
  await once(socket, 'close')
  return answer
}

it('the head of a request is read as node:http reads it, or left to it', { timeout: 14_400_000 }, async () => {
  const head = new HttpHead()
  const path = new TrackerPath()
  const wholes: { text: string; target: string; isLast: boolean; isUpgrade: boolean }[] = []
  let taken = 0
  for (let i = 0; i < total; i++) {
    const text = request()
    const found = readHead(text, 0, head)
    readPath(head.path, path)
    if (found !== heads.whole) continue
    taken++
    const { end: length, isLast, isUpgrade } = head
    const target = head.search === '' ? head.path : `${head.path}?${head.search}`
    if (length > text.length || !text.slice(0, length).endsWith('\r\n\r\n')) throw new Error(JSON.stringify(text))
    if (wholes.length < compared) wholes.push({ text: text.slice(0, length), target, isLast, isUpgrade })
    // Cut anywhere, it may still become one, and is never taken for one.
    const cut = pick(length)
    if (readHead(text.slice(0, cut), 0, head) !== heads.partial) throw new Error(JSON.stringify(text.slice(0, cut)))
  }
  expect([taken > total / 100, total > taken]).toEqual([true, true])
  const differences: string[] = []
  let agreed = 0
  for (const { text, target, isLast, isUpgrade } of wholes) {
    const answer = await answered(`${text}GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    // It takes no bytes beyond ASCII, and no second host; about the end of what it refuses there is no doubt.
    if (answer.startsWith('HTTP/1.1 400')) continue
    const bodies = answer.match(/(?<=\r\n\r\n)[\da-f]+/g)?.map((hex) => Buffer.from(hex, 'hex').toString('latin1'))
    const expected = [target, ...(isLast || isUpgrade ? [] : ['/next'])]
    if (JSON.stringify(bodies) === JSON.stringify(expected)) agreed++
    else differences.push(`seed ${seed}: ${JSON.stringify([text, expected, answer])}`)
  }
  expect(differences).toEqual([])
  expect(agreed).toBeGreaterThan(compared / 2)
})
