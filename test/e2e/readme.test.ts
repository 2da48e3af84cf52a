import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { WebIdentity } from '@eldernode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'

const top = resolve(import.meta.dirname, '../..')
const run = promisify(execFile)
let network: Network
let folder: string

/** The shell blocks of a document that are marked `<!-- run: examples -->`, in order. */
async function examples(document: string): Promise<string[]> {
  const text = await readFile(join(top, document), 'utf8')
  return [...text.matchAll(/<!-- run: examples -->\n+```sh\n(.*?)```/gs)].map((match) => match[1]!)
}

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
  folder = await mkdtemp(join(tmpdir(), 'eldernode-readme-'))
  await symlink(network.folder, join(folder, 'data'))
  for (const name of ['README.md', 'LICENSE']) await symlink(join(top, name), join(folder, name))
})

afterAll(async () => {
  await network.close()
  await rm(folder, { recursive: true, force: true })
})

test('every curl command of the documents stands in a block that this test runs', async () => {
  for (const document of ['README.md', 'docs/operating.md']) {
    const text = await readFile(join(top, document), 'utf8')
    const commands = text.match(/^ *curl .*$/gm) ?? []
    expect((await examples(document)).join('').match(/^ *curl .*$/gm) ?? [], document).toEqual(commands)
  }
})

test.skipIf(lacks('curl'))('the examples work as they stand', async () => {
  network.reportFailure()
  let id = ''
  const lost = (await WebIdentity.generate()).id
  const blocks = [...(await examples('README.md')), ...(await examples('docs/operating.md'))]
  expect(blocks.length).toBeGreaterThan(0)
  for (const block of blocks) {
    const script = `TOKEN=$(cat data/node-1/admin.token)\n${block.replaceAll('http://127.0.0.1:8765', network.first.url)}`
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: folder,
      env: { ...process.env, ID: id, LOST: lost },
    })
    if (id === '') id = (JSON.parse(stdout) as { id: string }).id
  }
  expect(id).toMatch(/^[0-9a-f]{40}$/)
  expect(await network.first.holds(id)).toBe(false)
})
