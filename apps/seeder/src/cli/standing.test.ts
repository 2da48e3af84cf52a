import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../http/testing/test-node.ts'
import { Uploads, view } from '../http/testing/uploads.ts'
import { readCommand } from './command.ts'
import { UsageError } from './errors.ts'
import { sizeText } from './output.ts'
import { runCommand } from './run.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let node: TestNode
let server: Server | undefined

beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())
afterEach(() => {
  server?.close()
})

/** What a command prints, asked of the real node unless another URL is given. */
async function run(words: string, url = node.url): Promise<{ out: string; note: string }> {
  const env = { ELDERNODE_URL: url, ELDERNODE_TOKEN: node.token }
  const said = { out: '', note: '' }
  await runCommand(readCommand(words.split(' '), env, 0), {
    out: (text) => void (said.out += text),
    note: (text) => void (said.note += text),
    pause: async () => undefined,
  })
  return said
}

/** Gives one answer after the other, the last one again and again. */
async function serve(...answers: unknown[]): Promise<string> {
  server = createServer((_request, response) =>
    response.end(JSON.stringify(answers.length > 1 ? answers.shift() : answers[0])),
  )
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a real node says how its items stand', async () => {
  const { id } = await view(await new Uploads(node).put('one.bin', 'some bytes'))
  const { out } = await run('replication')
  expect(out).toMatch(/^all {2,}\d+ items?, .*\nlost {2,}\d+ items?, \d+ B\nbelow-min /)
  expect(JSON.parse((await run('replication --json')).out)).toMatchObject({ totals: {}, items: [] })
  await vi.waitFor(async () => expect((await run('replication --level lost')).out).toContain(`\n${id}  lost  0 of 3`), {
    timeout: 20_000,
  })
  expect((await run(`repair ${id}`)).out).toMatch(new RegExp(`^${id}  lost  0 of 3 proven  survives 0  \\w+`))
  await expect(run('replication --level fine')).rejects.toThrow('400')
  await expect(run(`repair ${'0'.repeat(40)}`)).rejects.toThrow('404')
})

test('a real node drains, and stops to', async () => {
  expect((await run('drain status')).out).toBe('This node does not drain.\n')
  expect((await run('drain')).out).toMatch(/^Draining: .* left of .*\.\n$/)
  expect(JSON.parse((await run('drain status --json')).out)).toMatchObject({ draining: true, done: false })
  expect((await run('drain stop')).out).toBe('This node does not drain.\n')
})

test('waits for the end of a drain, telling each step once', async () => {
  const begun = { draining: true, done: false, held: { items: 9, bytes: 9e6 } }
  const at = (items: number) => ({
    draining: true,
    done: items === 0,
    held: { items: 9, bytes: 9e6 },
    left: { items, bytes: items * 1e6 },
    stuck: { items: items === 1 ? 1 : 0, bytes: items * 1e6 },
  })
  const url = await serve(begun, at(9), at(9), at(1), at(0))
  const { out, note } = await run('drain --wait', url)
  expect(note).toBe(
    'Draining: what is left of 9 items, 9.0 MB is still being looked at.\nDraining: 9 items, 9.0 MB left of 9 items, 9.0 MB.\nDraining: 1 item, 1.0 MB left of 9 items, 9.0 MB; too few others have room for 1 item, 1.0 MB.\n',
  )
  expect(out).toMatch(/^Drained: /)
})

test('goes through all pages, and what others wrote does not speak to the terminal', async () => {
  const amount = { items: 1, bytes: 1 }
  const totals = { ...amount, lost: amount, belowMin: amount, belowTarget: amount, atTarget: amount, surplus: amount }
  const item = (id: string) => ({
    id,
    size: 1,
    level: 'lost',
    min: 2,
    target: 3,
    proven: 0,
    survives: 0,
    why: [{ code: 'no\u001bcopy', detail: '' }],
  })
  const alarms = [{ code: 'lost', detail: 'x\u202ey', since: 0 }]
  const url = await serve(
    { totals, alarms, items: [item('a')], nextCursor: 'a' },
    { totals, alarms, items: [item('b')] },
  )
  const { out } = await run('replication --level lost', url)
  expect(out).toContain(
    'alarm lost since 1970-01-01T00:00:00.000Z: x?y\na  lost  0 of 3 proven  survives 0  no?copy\nb  lost',
  )
})

test.each([['drain now'], ['drain stop more'], ['replication all'], ['repair'], ['repair a b']])(
  '%s is no command',
  (words) => {
    expect(() => readCommand(words.split(' '), { ELDERNODE_TOKEN: 'x' }, 0)).toThrow(UsageError)
  },
)

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_234_567, '1.2 MB'],
  [5e18, '5000.0 PB'],
])('%i bytes are %s', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text)
})
