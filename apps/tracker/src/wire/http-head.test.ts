import { describe, expect, it } from 'vitest'
import { HttpHead, heads, readHead } from './http-head.ts'

const read = (text: string, start = 0) => {
  const head = new HttpHead()
  // What an earlier head held must not shine through.
  Object.assign(head, { forwardedFor: 'x', isUpgrade: true, webSocketKey: 'x', webSocketVersion: 'x', isLast: true })
  const found = readHead(text, start, head)
  return Object.assign(head, { found })
}

const get = (...lines: string[]): string =>
  ['GET /announce?a=%00&b=? HTTP/1.1', 'Host: x', ...lines, '', ''].join('\r\n')
const plain = { found: heads.whole, path: '/announce', search: 'a=%00&b=?', forwardedFor: '', isLast: false }

describe('readHead', () => {
  it('reads a request up to its end, wherever it lies', () => {
    expect(read(get())).toMatchObject({ ...plain, isUpgrade: false, webSocketKey: '', end: get().length })
    expect(read(`${get()}${get()}`, get().length)).toMatchObject({ ...plain, end: 2 * get().length })
    expect(read(get().replace('?a=%00&b=?', ''))).toMatchObject({ found: heads.whole, search: '' })
    expect(read(get('X-Any: thing', 'Accept:', "!#$%&'*+-.^_`|~: \t\u{80}\u{ff} "))).toMatchObject(plain)
  })

  it.each([
    [get('Connection: close'), { isLast: true }],
    [get('connection:\tKEEP-ALIVE , Close'), { isLast: true }],
    [get('Connection: keep-alive'), { isLast: false }],
    [get().replace('1.1', '1.0'), { isLast: true }],
    [get('X-Forwarded-For: 1.2.3.4', 'x-forwarded-for: 5.6.7.8'), { forwardedFor: '1.2.3.4,5.6.7.8' }],
    [get('Connection: Upgrade', 'Upgrade: WebSocket'), { isUpgrade: true }],
    [get('Upgrade: websocket', 'Connection: keep-alive, upgrade'), { isUpgrade: true }],
    [get('Upgrade: websocket'), { isUpgrade: false }],
    [get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c'), { isUpgrade: false }],
    [
      get('Sec-WebSocket-Key: AAAA==', 'Sec-WebSocket-Version: 13'),
      { webSocketKey: 'AAAA==', webSocketVersion: '13', isUpgrade: false },
    ],
  ])('understands %j', (text, expected) => {
    expect(read(text)).toMatchObject({ found: heads.whole, ...expected })
  })

  it('waits for the rest of what begins right', () => {
    const text = get('Connection: close', 'X-Forwarded-For: 1.2.3.4')
    for (let length = 0; length < text.length; length++)
      expect([length, readHead(text.slice(0, length), 0, new HttpHead())]).toEqual([length, heads.partial])
  })

  it.each([
    ['another method', 'POST /announce HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['no method', '\r\nGET /announce HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a greeting of TLS', '\u{16}\u{3}\u{1}'],
    ['HTTP/0.9', 'GET /announce\r\n'],
    ['HTTP/1.2', get().replace('1.1', '1.2')],
    ['no version', get().replace(' HTTP/1.1', '')],
    ['two spaces', get().replace(' HTTP', '  HTTP')],
    ['a control character in the target', get().replace('a=', 'a\u{0}=')],
    ['no host', get().replace('Host: x\r\n', '')],
    ['a body', get('Content-Length: 5')],
    ['a body of no bytes', get('Content-Length: 0')],
    ['a body in chunks', get('Transfer-Encoding: chunked')],
    ['a body in chunks, shouted', get('TRANSFER-ENCODING: chunked')],
    ['a client that waits to be asked for its body', get('Expect: 100-continue')],
    ['a space before the colon', get('Content-Length : 5')],
    ['a folded line', get('X: a', ' b')],
    ['a line that ends with a line feed alone', get().replace('Host: x\r\n', 'Host: x\n')],
    ['a line that ends with a carriage return alone', get().replace('Host: x\r\n', 'Host: x\rX: y\r\n')],
    ['a head that ends with a line feed alone', get().replace(/\r\n$/, '\n')],
    ['a zero byte in a value', get('X: a\u{0}b')],
    ['a line without a name', get(': x')],
    ['a line without a colon', get('x')],
    ['a name that is no token', get('Transfer(Encoding: chunked')],
    ['a target that is too long', `GET /${'x'.repeat(9000)}`],
    ['a name that is too long', `GET / HTTP/1.1\r\n${'x'.repeat(9000)}`],
    ['a value that is too long', `GET / HTTP/1.1\r\nx: ${'x'.repeat(9000)}`],
    ['a head that is too long', get(...Array<string>(900).fill('x: yyyyyyyy'))],
  ])('leaves %s to others', (_what, text) => {
    expect(read(text).found).toBe(heads.other)
  })
})
