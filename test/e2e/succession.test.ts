import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network, seededBytes, until, type Media, type Seeder } from '../harness/index.ts'

let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 3, tracker: false })
})

afterAll(() => network.close())

const publisherOf = async (seeder: Seeder, { id }: Media): Promise<string> =>
  (await seeder.get<Media>(`/v1/media/${id}`)).publisher

async function servedByAll({ id, sha256 }: Media): Promise<void> {
  for (const seeder of network.seeders.filter(({ isRunning }) => isRunning)) {
    await until(() => seeder.holds(id), { within: 30_000, what: `${seeder.name} holds ${id}` })
    expect(await seeder.content(id)).toEqual({ status: 200, sha256 })
  }
}

async function certify(certificate: object): Promise<void> {
  const response = await network.first.admin('POST', '/v1/members', JSON.stringify(certificate))
  expect(response.status, await response.text()).toBe(201)
}

test('of two publishers of one item the last to retract it ends it', async () => {
  network.reportFailure()
  const bytes = seededBytes(1, 300_000)
  const media = await network.first.publish('both.bin', bytes)
  expect((await network.at(1).publish('both.bin', bytes)).id).toBe(media.id)
  await servedByAll(media)
  await network.first.retract(media.id)
  // A later item shows that the retraction has reached everybody.
  await servedByAll(await network.first.publish('later.bin', seededBytes(2, 1000)))
  await servedByAll(media)
  await network.at(1).retract(media.id)
  for (const seeder of network.seeders) {
    await until(async () => (await seeder.content(media.id)).status === 410, {
      within: 30_000,
      what: `${seeder.name} stops serving`,
    })
  }
})

test("a lost key's items are its successor's: it speaks for them, and they outlive the key", async () => {
  network.reportFailure()
  const [owner, lost, successor] = [network.first, network.at(1), network.at(2)]
  const [kept, ended] = [
    await lost.publish('kept.bin', seededBytes(3, 300_000)),
    await lost.publish('ended.bin', seededBytes(4, 300_000)),
  ]
  for (const media of [kept, ended]) await servedByAll(media)
  await lost.kill()
  const refused = await owner.admin('DELETE', `/v1/media/${ended.id}`)
  expect(refused.status).toBe(409)
  await certify({ member: lost.id, roles: [], successor: successor.id })
  for (const seeder of [owner, successor]) {
    for (const media of [kept, ended]) {
      await until(async () => (await publisherOf(seeder, media)) === successor.id, {
        within: 30_000,
        what: `${seeder.name} knows who speaks for ${media.id}`,
      })
    }
  }
  const elsewhere = await owner.admin('DELETE', `/v1/media/${ended.id}`)
  expect([elsewhere.status, await elsewhere.json()]).toEqual([
    409,
    expect.objectContaining({ publisher: successor.id }),
  ])
  await successor.retract(ended.id)
  await until(async () => (await owner.content(ended.id)).status === 410, { within: 30_000, what: 'it is withdrawn' })
  await servedByAll(kept)
})

test('a revoked node that comes back brings nothing back, and nothing new of it is taken', async () => {
  network.reportFailure()
  const [owner, revoked] = [network.first, network.at(1)]
  const before = new Set((await owner.items()).keys())
  await revoked.start()
  const isMember = async (): Promise<boolean> => {
    const { checks } = (await (await fetch(`${revoked.url}/ready`)).json()) as {
      checks: { membership: { ok: boolean } }
    }
    return checks.membership.ok
  }
  await until(async () => !(await isMember()), { within: 30_000, what: 'it knows' })
  const published = await revoked.admin('PUT', '/v1/media?name=new.bin', seededBytes(5, 1000))
  expect(published.ok).toBe(false)
  // A later item shows that all have told each other what they have.
  const later = await owner.publish('after.bin', seededBytes(6, 1000))
  await until(() => network.at(2).holds(later.id), { within: 30_000, what: 'the successor holds it' })
  before.add(later.id)
  expect(new Set((await owner.items()).keys())).toEqual(before)
  const peers = await owner.get<{ peers: { id: string }[] }>('/v1/peers')
  expect(peers.peers.map(({ id }) => id)).not.toContain(revoked.id)
  // It has learned who speaks for its items, and does not try to publish them itself.
  expect(revoked.output()).not.toContain('could not be reconciled')
})
