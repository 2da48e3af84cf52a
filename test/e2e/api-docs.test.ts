import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { newItemIdentity, signRequest } from '@eldernode/core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examplesOf, type Example, routeName } from '../harness/api-examples.ts'
import { newSeaPair, seaSigned } from '../harness/sea.ts'
import { sampleFiles } from '../harness/sample-files.ts'
import { Network, until } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'
import { openIdentity } from '@eldernode/member/keys'

const run = promisify(execFile)
const examples = await examplesOf('docs/api.md')
const toolsMissing = lacks('curl') || lacks('jq')
let network: Network
let folder: string
let made = 0
/** Of nobody in particular: the same for all examples. */
let reader: string

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
  folder = await mkdtemp(join(tmpdir(), 'eldernode-api-'))
  ;({ recipient: reader } = await newItemIdentity())
})

afterAll(async () => {
  await network.close()
  await rm(folder, { recursive: true, force: true })
})

interface Document {
  paths: Record<string, Record<string, unknown>>
}

test('every route of the OpenAPI document has an example, and every example a route', async () => {
  const { paths } = await network.first.get<Document>('/openapi.json')
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => routeName(method, path)),
  )
  // What a HEAD answers is shown with the GET of the same path.
  const shown = routes.filter((route) => !(route.startsWith('HEAD ') && routes.includes(route.replace('HEAD', 'GET'))))
  const written = examples.map(({ route }) => route)
  const isThere = (route: string) => routes.includes(route) || routes.includes(route.replace(/^HEAD /, 'GET '))
  expect(
    shown.filter((route) => !written.includes(route)),
    'routes without an example in docs/api.md',
  ).toEqual([])
  expect(
    written.filter((route) => !isThere(route)),
    'examples of no route',
  ).toEqual([])
})

test('every curl command stands in a block that is run', async () => {
  const text = await readFile(join(import.meta.dirname, '../../docs/api.md'), 'utf8')
  const commands = text.match(/^.*\bcurl .*$/gm) ?? []
  const inBlocks = examples.flatMap(({ script }) => script.match(/^.*\bcurl .*$/gm) ?? [])
  expect(inBlocks).toEqual(commands)
})

/** How often the node has answered a route without an error. */
async function answered(route: string): Promise<number> {
  const response = await network.first.admin('GET', '/metrics')
  let count = 0
  for (const [, labels = '', value] of (await response.text()).matchAll(
    /^eldernode_http_requests_total\{(.*)\} (\d+)/gm,
  )) {
    const label = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(labels)?.[1] ?? ''
    if (routeName(label('method'), label('route')) === route && Number(label('status')) < 400) count += Number(value)
  }
  return count
}

/** Runs an example as it stands, with an item of its own; what it sets is there for those after it. */
async function runExample({ route, script }: Example): Promise<'answered'> {
  const { first } = network
  await sampleFiles(folder)
  const name = `notes-${++made}.txt`
  const { id, sha256 } = await first.publish(name, new TextEncoder().encode(`item ${made} of the examples\n`))
  const member = openIdentity(join(folder, `member-${made}.key`)).id
  const { recipient } = await first.get<{ recipient: string }>('/v1/node')
  const pair = await newSeaPair()
  const signed = await seaSigned({ recipient, node: first.id, at: Date.now() }, pair)
  await signAudit(script, id)
  const before = await answered(route)
  const whole = ['touch state; source state', 'set -a', 'trap "export -p > state" EXIT', ...preset(), script].join('\n')
  await run('bash', ['-euo', 'pipefail', '-c', whole], { cwd: folder, timeout: 60_000 })
  await until(async () => (await answered(route)) > before, { within: 10_000, what: `${route} was answered` })
  return 'answered'

  function preset(): string[] {
    const given = {
      NODE: first.url,
      TOKEN: first.token,
      ID: id,
      SHA256: sha256,
      NAME: name,
      MEMBER: member,
      RECIPIENT: recipient,
      READER: reader,
      SEA_PUB: pair.pub,
      SIGNED: signed,
    }
    return Object.entries(given).map(([key, value]) => `${key}='${value}'`)
  }
}

/** Has an auditor sign what the example asks for, if it is a piece or its metainfo. */
async function signAudit(script: string, infoHash: string): Promise<void> {
  const [, rest] = /"\$NODE\/v1\/audits\/\$HOLDER\/\$ID(.*)"/.exec(script) ?? []
  if (rest === undefined) return
  const { first } = network
  const auditor = openIdentity(join(folder, 'auditor.key'))
  await network.admit(auditor.id)
  const url = `${first.url}/v1/audits/${first.id}/${infoHash}${rest}`
  const headers = Object.entries(await signRequest({ method: 'GET', url }, auditor, Date.now()))
  await writeFile(join(folder, 'signed.headers'), headers.map(([name, value]) => `${name}: ${value}\n`).join(''))
}

test.skipIf(toolsMissing).each(examples.map((example) => [example.route, example] as const))(
  '%s',
  async (_, example) => {
    network.reportFailure()
    expect(await runExample(example)).toBe('answered')
  },
)
