import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { kinds } from '../swarm/index.ts'
import type { NearSocket } from '../transport/index.ts'
import { AskingEnd } from './asking-end.ts'
import { says } from './frames.ts'

/** Another worker that does as the test says. */
const otherWorker = async (onSocket: (socket: Socket) => void): Promise<{ end: AskingEnd; dialled: () => number }> => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-asking-'))
  const path = join(folder, 'worker')
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    sockets.push(socket)
    onSocket(socket)
  }).listen(path)
  await once(server, 'listening')
  const end = new AskingEnd(path, () => {})
  onTestFinished(async () => {
    end.stop()
    for (const socket of sockets) socket.destroy()
    server.close()
    await rm(folder, { recursive: true, force: true })
  })
  await new Promise<void>((resolve) => end.start(resolve))
  return { end, dialled: () => sockets.length }
}

const socketOf = (): NearSocket & { heard: string[] } => {
  const heard: string[] = []
  return {
    heard,
    from: { kind: kinds.ipv4, high: 1, low: 0, isMember: false, key: 0 },
    send: (text) => void heard.push(text),
    refuse: (reason) => void heard.push(`refused: ${reason}`),
  }
}

test('who is not answered is told so after two ticks, once', async () => {
  const { end } = await otherWorker((socket) => socket.resume())
  const answered = vi.fn<(payload: Buffer | undefined) => void>()
  end.read('anything', answered)
  end.tick()
  expect(answered).not.toHaveBeenCalled()
  end.tick()
  end.tick()
  expect(answered.mock.calls).toEqual([[undefined]])
})

test('who is asked and hangs up leaves nobody waiting, and is dialled again', async () => {
  const { end, dialled } = await otherWorker((socket) => socket.once('data', () => socket.destroy()))
  const answer = await new Promise((resolve) => end.read('anything', resolve))
  expect(answer).toBeUndefined()
  await vi.waitFor(() => expect(dialled()).toBe(2))
  await vi.waitFor(() => expect(end.isUp).toBe(true))
})

test('of what waits for one who does not read the rest is lost, and nothing without which the two would not agree', async () => {
  const { end, dialled } = await otherWorker((socket) => socket.pause())
  const socket = socketOf()
  const text = 'x'.repeat(60_000)
  let said = 0
  while (end.say(socket, text) && said < 1000) said++
  expect(said * text.length).toBeGreaterThan(4 * 2 ** 20)
  expect(said * text.length).toBeLessThan(20 * 2 ** 20)
  const answered = vi.fn<(payload: Buffer | undefined) => void>()
  end.read('anything', answered)
  expect(answered.mock.calls).toEqual([[undefined]])
  // Each newcomer is announced: that many do not fit, and so all begins anew.
  for (let i = 0; i < 400_000 && end.isUp; i++) {
    end.say(socketOf(), 'x')
    // The connection ends in its own turn.
    if (i % 50_000 === 0) await new Promise(setImmediate)
  }
  await vi.waitFor(() => expect(dialled()).toBe(2))
})

test.for([
  ['no frame', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['a frame of no kind', Buffer.from([0, 0, 0, 5, 200, 0, 0, 0, 1])],
] as const)('%s ends the connection, which is dialled again', async ([, bytes]) => {
  let isFirst = true
  const { dialled } = await otherWorker((socket) => {
    if (isFirst) socket.write(bytes)
    isFirst = false
  })
  await vi.waitFor(() => expect(dialled()).toBe(2))
})

test('what is told to a socket that is gone, or answered to nobody, is dropped', async () => {
  const told = (kind: number, id: number): Buffer => Buffer.from([0, 0, 0, 6, kind, 0, 0, 0, id, 120])
  const { end, dialled } = await otherWorker((socket) => {
    socket.write(Buffer.concat([told(says.tell, 9), told(says.refuse, 9), told(says.answer, 9), told(says.counted, 9)]))
    socket.on('data', () => socket.write(Buffer.concat([told(says.tell, 1), told(says.tell, 2)])))
  })
  const socket = socketOf()
  end.say(socket, 'hello')
  await vi.waitFor(() => expect(socket.heard).toEqual(['x']))
  expect(dialled()).toBe(1)
})
