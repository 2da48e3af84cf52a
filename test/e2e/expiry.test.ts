import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Media, Network, until } from '../harness/index.ts'
import { greyPng } from '../harness/png.ts'

interface Described extends Media {
  media?: { width: number }
  previews: { infoHash: string; size: number }[]
}

let network: Network
beforeAll(async () => {
  network = await Network.start({ seeders: 2, tracker: false })
})
afterAll(() => network.close())

const statusOf = async (url: string) => {
  const response = await fetch(url)
  await response.body?.cancel()
  return response.status
}

test('a copy knows what was found out later, has the previews too, and expires though its publisher is gone', async () => {
  const [publisher, holder] = [network.at(0), network.at(1)]
  const query = `name=brief.png&replicas=2&expiresAt=${Date.now() + 30_000}`
  const response = await publisher.admin('PUT', `/v1/media?${query}`, greyPng(600, 400))
  expect(response.status).toBe(201)
  const { id } = (await response.json()) as Media
  const copy = await until(
    async () => {
      const item = await holder.get<Described>(`/v1/media/${id}`)
      return item.previews.length > 0 && item.media !== undefined ? item : undefined
    },
    { within: 15_000, what: 'the copy knows its details and previews' },
  )
  const preview = copy.previews[0]?.infoHash ?? ''
  await until(() => holder.holds(preview), { within: 15_000, what: 'the preview is copied' })
  await publisher.kill()
  for (const gone of [id, preview]) {
    await until(async () => (await statusOf(`${holder.url}/v1/media/${gone}`)) === 410, {
      within: 60_000,
      what: `the copy of ${gone} has expired`,
    })
  }
})
