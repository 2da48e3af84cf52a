import { afterAll, beforeAll, expect, test } from 'vitest'
import { setTimeout as delay } from 'node:timers/promises'
import * as tus from 'tus-js-client'
import { Network, seededBytes, sha256, until } from '../harness/index.ts'

const size = 20_000_000

let network: Network

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
})

afterAll(() => network.close())

/** Compares what is served of an item, which is hashed again first when the node was killed shortly after it came. */
async function expectItem(location: string | undefined | null, bytes: Uint8Array): Promise<void> {
  const [, id = ''] = /\/v1\/media\/([0-9a-f]{40})$/.exec(location ?? '') ?? []
  const content = await until(
    async () => {
      const answer = await network.first.content(id)
      return answer.status === 503 ? undefined : answer
    },
    { within: 20_000, what: 'the item is served' },
  )
  expect(content).toEqual({ status: 200, sha256: sha256(bytes) })
}

test('tus-js-client goes on by itself after the node was killed and came back', async () => {
  network.reportFailure()
  const seeder = network.first
  const bytes = seededBytes(1, size)
  const sent = Promise.withResolvers<string | undefined>()
  let killed: Promise<void> | undefined
  const upload = new tus.Upload(Buffer.from(bytes), {
    endpoint: `${seeder.url}/v1/uploads`,
    headers: { authorization: `Bearer ${seeder.token}` },
    metadata: { filename: 'film.bin' },
    chunkSize: 1_000_000,
    retryDelays: Array.from({ length: 60 }, () => 500),
    // By default it gives up at answers such as 401; a node that starts refuses connections only.
    onShouldRetry: () => true,
    onChunkComplete: (_chunk, accepted) => {
      if (accepted < size / 2) return
      killed ??= seeder.kill().then(() => seeder.start())
    },
    onError: sent.reject,
    onSuccess: ({ lastResponse }) => sent.resolve(lastResponse.getHeader('content-location')),
  })
  upload.start()
  const location = await sent.promise
  expect(killed).toBeDefined()
  await killed
  await seeder.ready()
  await expectItem(location, bytes)
})

test.each([0, 5, 20, 60, 150])(
  'killed %i ms after the last byte, the node publishes what it has when it is back, or takes the rest',
  async (wait) => {
    network.reportFailure()
    const seeder = network.first
    const bytes = seededBytes(100 + wait, 3_000_000)
    const headers = { authorization: `Bearer ${seeder.token}`, 'tus-resumable': '1.0.0' }
    const name = Buffer.from(`killed-${wait}.bin`).toString('base64')
    const begun = await fetch(`${seeder.url}/v1/uploads`, {
      method: 'POST',
      headers: { ...headers, 'upload-length': `${bytes.length}`, 'upload-metadata': `filename ${name}` },
    })
    const url = seeder.url + (begun.headers.get('location') ?? '')
    const patch = (offset: number) =>
      fetch(url, {
        method: 'PATCH',
        headers: { ...headers, 'upload-offset': `${offset}`, 'content-type': 'application/offset+octet-stream' },
        body: bytes.subarray(offset),
      })
    // It may or may not be answered before the end; the node's word counts either way.
    const answered = patch(0).then(
      ({ status }) => status,
      () => undefined,
    )
    await delay(wait)
    await seeder.kill()
    const status = await answered
    await seeder.start()
    await seeder.ready()
    const head = await until(
      async () => {
        const answer = await fetch(url, { method: 'HEAD', headers })
        return answer.ok ? answer : undefined
      },
      { within: 10_000, what: 'the upload is there' },
    )
    const offset = Number(head.headers.get('upload-offset'))
    expect(status === 204 && offset < bytes.length).toBe(false)
    const last = offset === bytes.length ? head : await patch(offset)
    await expectItem(last.headers.get('content-location'), bytes)
  },
)
