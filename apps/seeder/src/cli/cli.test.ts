import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:http'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { startTestNode, type TestNode } from '../http/testing/test-node.ts'
import { askAs } from '../http/testing/tokens.ts'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const script = fileURLToPath(new URL('main.ts', import.meta.url))
let node: TestNode
let folder: string

beforeAll(async () => {
  node = await startTestNode()
  folder = await mkdtemp(join(tmpdir(), 'eldernode-cli-'))
})
afterAll(async () => {
  await node.stop()
  await rm(folder, { recursive: true })
})

interface Ran {
  code: number
  out: string
  err: string
}

const run = (args: string[], env: Record<string, string> = { ELDERNODE_URL: node.url, ELDERNODE_TOKEN: node.token }) =>
  new Promise<Ran>((resolve) => {
    const command = ['--conditions=@eldernode/source', script, ...args]
    const child = execFile(process.execPath, command, { cwd: folder, env }, (_error, out, err) =>
      resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })

test('makes, lists and revokes tokens of a running node', async () => {
  const terms = ['--owner', 'alice', '--scope', 'media:write', '--scope', 'media:delete,events:read']
  const made = await run(['token', 'create', ...terms, '--label', 'phone', '--expires', '30d'])
  expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^en_[0-9a-f]{16}_[\w-]{43}\n$/) as string })
  const token = made.out.trim()
  const self = (await (await askAs(node, token)('/v1/tokens/self')).json()) as { id: string }
  expect(self).toMatchObject({ owner: 'alice', scopes: ['media:write', 'media:delete', 'events:read'] })
  expect(made.err).toContain(self.id)
  const listed = await run(['token', 'list'])
  expect(listed.out).toMatch(
    new RegExp(`^${self.id}  alice  media:write,media:delete,events:read  until 20.*\\(phone\\)$`, 'm'),
  )
  expect(listed.out).not.toContain(token.slice(20))
  const { out } = await run(['token', 'list', '--json'])
  const [record] = JSON.parse(out) as { id: string; expiresAt: number }[]
  expect(record?.id).toBe(self.id)
  expect(Math.abs((record?.expiresAt ?? 0) - Date.now() - 30 * 86_400_000)).toBeLessThan(120_000)
  expect(await run(['token', 'revoke', self.id])).toMatchObject({ code: 0 })
  expect((await askAs(node, token)('/v1/tokens/self')).status).toBe(401)
  expect(await run(['token', 'revoke', self.id])).toMatchObject({
    code: 1,
    err: expect.stringContaining('404') as string,
  })
})

test('asks with the token of a file, in the data folder when none is named', async () => {
  await writeFile(join(folder, 'token'), `${node.token}\n`)
  expect(await run(['token', 'list', '--url', node.url, '--token-file', 'token'], {})).toMatchObject({ code: 0 })
  expect(await run(['token', 'list', '--url', node.url], {})).toMatchObject({ code: 64 })
  await mkdir(join(folder, 'data'))
  await writeFile(join(folder, 'data', 'admin.token'), `${node.token}\n`)
  expect(await run(['token', 'list', '--url', node.url], {})).toMatchObject({ code: 0 })
})

test.each([
  [['--help'], 0],
  [[], 64],
  [['token'], 64],
  [['tokens', 'list'], 64],
  [['token', 'revoke'], 64],
  [['token', 'list', 'more'], 64],
  [['token', 'create', '--scope', 'media:write'], 64],
  [['token', 'create', '--owner', 'alice'], 64],
  [['token', 'create', '--owner', 'alice', '--scope', 'media:write', '--expires', 'soon'], 64],
  [['token', 'list', '--token', 'x'], 64],
  [['token', 'list', '--url', 'ftp://host'], 64],
  [['token', 'create', '--owner', 'alice', '--scope', 'media:everything'], 1],
])('%j ends with %i', async (args, code) => {
  const ran = await run(args)
  expect(ran.code).toBe(code)
  expect(ran.out + ran.err).toMatch(/eldernode|node answered/)
  expect(ran.err).not.toMatch(/^\s+at /m)
})

test('a wrong token, and no node, are said in one line', async () => {
  const wrong = await run(['token', 'list'], { ELDERNODE_URL: node.url, ELDERNODE_TOKEN: 'wrong' })
  expect(wrong).toMatchObject({ code: 1, err: expect.stringMatching(/^The node answered 401: .*\n$/) as string })
  const none = await run(['token', 'list'], { ELDERNODE_URL: 'http://127.0.0.1:1', ELDERNODE_TOKEN: 'x' })
  expect(none).toMatchObject({ code: 1, err: expect.stringMatching(/^No node answers at .*\n$/) as string })
})

test('the token follows no redirect, and control characters do not reach the terminal', async () => {
  const token = { id: '1', owner: 'a\u001b[31m', label: '\u202e', scopes: [], createdAt: 1 }
  const server = await serve((url) => (url === '/v1/tokens' ? { tokens: [token] } : undefined))
  const elsewhere = await serve(() => undefined, `http://127.0.0.1:${portOf(server)}/v1/tokens`)
  const ask = (to: Server) =>
    run(['token', 'list'], { ELDERNODE_URL: `http://127.0.0.1:${portOf(to)}`, ELDERNODE_TOKEN: 'x' })
  expect((await ask(server)).out).toBe('1  a?[31m    until revoked  (?)\n')
  expect((await ask(elsewhere)).code).toBe(1)
  server.close()
  elsewhere.close()
})

const portOf = (server: Server) => (server.address() as AddressInfo).port

async function serve(answer: (url: string) => unknown, location?: string): Promise<Server> {
  const server = createServer((request, response) => {
    if (location !== undefined) response.writeHead(302, { location })
    response.end(JSON.stringify(answer(request.url ?? '') ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
