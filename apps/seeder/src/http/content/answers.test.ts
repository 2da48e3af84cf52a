import { once } from 'node:events'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Condition } from '../../library/index.ts'
import type { Passage } from '../../swarm/index.ts'
import { Answers } from './answers.ts'
import { BusyError } from '../errors.ts'
import { FileSender } from './file-sender.ts'

const size = 300_000

let folder: string
let server: Server
let responses: ServerResponse[]
let passages: { begun: number; ended: number }
let condition: Condition
let changed: (infoHash: string) => void
let answers: Answers
const failed = vi.fn<(error: unknown) => void>()

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'answers-'))
  await writeFile(join(folder, 'file'), Buffer.alloc(size))
  ;[responses, passages, condition] = [[], { begun: 0, ended: 0 }, 'held']
  failed.mockClear()
  server = createServer((_request, response) => void responses.push(response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  answers = new Answers({
    sender: new FileSender({ stallMs: 10_000 }),
    library: {
      isPaused: () => false,
      condition: () => condition,
      onCondition: (listener) => {
        changed = listener
        return () => undefined
      },
    },
    uploadPassage: passage,
    failed,
    most: 4,
    mostWebSeeds: 2,
  })
})
afterEach(async () => {
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

/** Lets nothing pass until it ends. */
function passage(): Passage {
  passages.begun++
  const end = Promise.withResolvers<void>()
  return {
    most: 16_384,
    pass: () => end.promise,
    end: () => {
      passages.ended++
      end.resolve()
    },
  }
}

async function ask(): Promise<{ response: ServerResponse; leave: () => void; received: Promise<IncomingMessage> }> {
  const before = responses.length
  const request = get({ port: (server.address() as AddressInfo).port, agent: false })
  const received = once(request, 'response').then(([message]) => message as IncomingMessage)
  received.catch(() => undefined)
  await vi.waitUntil(() => responses.length > before)
  const response = responses.at(-1)
  if (response === undefined) throw new Error('no request came')
  return { response, leave: () => request.destroy(), received }
}

const send = (response: ServerResponse, isWebSeed: boolean, infoHash = 'a') =>
  answers.send(
    response,
    { infoHash, parts: [{ start: 0, end: size }], isWebSeed },
    async () => {
      const file = await open(join(folder, 'file'))
      return {
        read: async (target, length, at) => (await file.read(target, 0, length, at)).bytesRead,
        close: () => file.close(),
      }
    },
    () => response.writeHead(200, { 'content-length': size }),
  )

test('web seeds that wait for their turns leave room for reads over the API, and who leaves makes room', async () => {
  const slow = [await ask(), await ask()]
  const sent = slow.map(({ response }) => send(response, true))
  const late = await ask()
  await expect(send(late.response, true)).rejects.toThrow(BusyError)
  expect(late.response.headersSent).toBe(false)
  const reader = await ask()
  const read = send(reader.response, false)
  let bytes = 0
  for await (const chunk of await reader.received) bytes += (chunk as Buffer).length
  await read
  expect(bytes).toBe(size)

  for (const { leave } of slow) leave()
  await Promise.all(sent)
  const next = send(late.response, true)
  await vi.waitUntil(() => passages.begun === 3)
  late.leave()
  await next
  expect([passages, failed.mock.calls]).toEqual([{ begun: 3, ended: 3 }, []])
})

test('a client that left before its file was open keeps no place among those that wait', async () => {
  for (let n = 0; n < 5; n++) {
    const { response, leave } = await ask()
    leave()
    await once(response, 'close')
    await send(response, true)
  }
  expect([passages, failed.mock.calls]).toEqual([{ begun: 5, ended: 5 }, []])
})

test('answers under way end when bytes of their item turn out wrong, those of others go on', async () => {
  const [own, other] = [await ask(), await ask()]
  const ended = send(own.response, true, 'a')
  void send(other.response, true, 'b')
  await vi.waitUntil(() => passages.begun === 2)
  changed('a')
  expect(own.response.destroyed).toBe(false)
  condition = 'patchy'
  changed('a')
  await ended
  expect([own.response.destroyed, other.response.destroyed]).toEqual([true, false])
  other.leave()
})
