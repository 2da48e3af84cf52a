import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until, type Media, type Seeder } from '../harness/index.ts'
import { standing } from '../chaos/network/standing.ts'

interface Stands {
  replication?: { wanted: string[]; why: { code: string }[] }
}

let network: Network
let picky: Seeder
let file: string

beforeAll(async () => {
  network = await Network.start({ seeders: 2, tracker: false })
  file = join(network.folder, 'seeder.toml')
  await writeFile(file, 'policy.tags = ["keep"]\npolicy.maxItemBytes = 1000000\n')
  picky = await network.join({ config: file })
  await network.acquainted()
})

afterAll(() => network.close())

/** Publishes on the first node. */
async function publish(seed: number, size: number, query: string): Promise<Media> {
  const response = await network.first.admin('PUT', `/v1/media?name=${seed}.bin${query}`, seededBytes(seed, size))
  expect(response.status).toBe(201)
  return (await response.json()) as Media
}

async function wantedOf({ id }: Media): Promise<string[]> {
  return (await standing(network.first)).get(id)?.wanted ?? []
}

test('a node takes what its policies allow, the others learn what it refused, and a pinned item is held there', async () => {
  network.reportFailure()
  const liked = await publish(1, 20_000, '&tags=keep')
  const large = await publish(2, 1_500_000, '&tags=keep')
  const untagged = await publish(3, 20_000, '')
  const alone = await publish(4, 20_000, '&replicas=1')
  await until(() => picky.holds(liked.id), { within: 30_000, what: 'what is allowed is copied' })
  for (const refused of [large, untagged]) {
    await until(async () => !(await wantedOf(refused)).includes(picky.id), {
      within: 30_000,
      what: 'the others know that it was refused',
    })
    await until(() => network.at(1).holds(refused.id), { within: 30_000, what: 'another node copies it' })
  }
  // One asks for a copy more than there are members that take it, and nobody's answer says that picky makes it.
  const greedy = await publish(5, 20_000, '&replicas=3')
  const codes = async (method: string, node: Seeder, path: string) => {
    const { replication } = (await (await node.admin(method, path)).json()) as Stands
    return { wanted: replication?.wanted, codes: replication?.why.map(({ code }) => code) ?? [] }
  }
  await until(async () => (await codes('GET', network.first, `/v1/media/${greedy.id}`)).codes.includes('refused'), {
    within: 30_000,
    what: 'it is known who refused',
  })
  for (const node of [network.first, picky]) {
    const repaired = await codes('POST', node, `/v1/media/${greedy.id}/repair`)
    expect(repaired.wanted).not.toContain(picky.id)
    expect(repaired.codes).toContain('refused')
    expect(repaired.codes).not.toContain('too_few_members')
  }
  expect(await wantedOf(liked)).toContain(picky.id)
  expect(await wantedOf(alone)).toEqual([network.first.id])

  await writeFile(file, `policy.tags = []\npolicy.maxItemBytes = 1000000\npolicy.pinned = ["${alone.id}"]\n`)
  process.kill(picky.pid, 'SIGHUP')
  await until(() => picky.holds(alone.id), { within: 30_000, what: 'the pinned item is copied' })
  await until(() => picky.holds(untagged.id), { within: 30_000, what: 'what is not refused any more is copied' })
  expect([await picky.holds(large.id), await picky.holds(liked.id)]).toEqual([false, true])
  expect(await picky.content(alone.id)).toEqual({ status: 200, sha256: alone.sha256 })
})
