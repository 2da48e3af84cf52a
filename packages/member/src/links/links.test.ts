import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Socket } from '@eldernode/core/graph'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { Addresses } from '../addresses/index.ts'
import { acceptGun } from './accept.ts'
import { createDial } from './dial.ts'

const anywhere = createDial(new Addresses({ allowPrivate: true }))
const guarded = createDial(new Addresses({ allowPrivate: false }))
const signal = new AbortController().signal

async function listen(most?: number): Promise<{ server: Server; sockets: Socket[]; port: number; unhook: () => void }> {
  const server = createServer()
  const sockets: Socket[] = []
  const unhook = acceptGun(server, { accept: (socket) => sockets.push(socket) }, most)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.terminate()
    server.close()
  })
  return { server, sockets, port: (server.address() as AddressInfo).port, unhook }
}

async function pair(): Promise<{ near: Socket; far: Socket; port: number }> {
  const { sockets, port } = await listen()
  const near = await anywhere(`ws://127.0.0.1:${port}/gun`, { signal, foreign: false })
  const far = await vi.waitUntil(() => sockets[0])
  return { near, far, port }
}

test('text arrives in order at both ends, as text', async () => {
  const { near, far } = await pair()
  const heard: string[] = []
  far.onMessage((text) => {
    heard.push(text)
    far.send(`${text}!`)
  })
  near.onMessage((text) => heard.push(text))
  near.send('ä')
  near.send('🎬')
  await vi.waitFor(() => expect(heard.toSorted()).toEqual(['ä', 'ä!', '🎬', '🎬!'].toSorted()))
  expect(near.bufferedAmount).toBe(0)
})

test('both ends are told of the end, also when they ask late', async () => {
  const { near, far } = await pair()
  const codes: number[] = []
  far.onClose((code) => codes.push(code))
  near.close(4003)
  await vi.waitFor(() => expect(codes).toEqual([4003]))
  await vi.waitFor(() => {
    let late: number | undefined
    near.onClose((code) => (late = code))
    expect(late).toBe(4003)
  })
})

test('what is too large ends the link before it is in memory', async () => {
  const { near, far } = await pair()
  const heard = vi.fn<(text: string) => void>()
  const codes: number[] = []
  far.onMessage(heard)
  far.onClose((code) => codes.push(code))
  near.send('x'.repeat((4 << 20) + 1))
  await vi.waitFor(() => expect(codes).toEqual([1009]), 5000)
  expect(heard).not.toHaveBeenCalled()
})

test('reading can be stopped and resumed', async () => {
  const { near, far } = await pair()
  const heard: string[] = []
  far.onMessage((text) => heard.push(text))
  far.pause?.()
  near.send('one')
  const other = new Promise<void>((resolve) => near.onMessage(() => resolve()))
  far.send('ping')
  await other
  expect(heard).toEqual([])
  far.resume?.()
  await vi.waitFor(() => expect(heard).toEqual(['one']))
})

test('only /gun is answered', async () => {
  const { port, sockets } = await listen()
  for (const path of ['/', '/gunx', '/x/gun', '/gun/x']) {
    const ws = new WebSocket(`ws://127.0.0.1:${port}${path}`)
    const [error] = (await once(ws, 'error')) as [Error]
    expect(error.message).toMatch(/hang up|ECONNRESET|Unexpected/)
  }
  expect(sockets).toEqual([])
})

test('an address from a heartbeat may not lead into the own network, a configured one may', async () => {
  const { port } = await listen()
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, '169.254.169.254', '10.0.0.1', '0.0.0.0']
  for (const host of hosts) {
    const dialled = guarded(`ws://${host}/gun`, { signal, foreign: true })
    await expect(dialled, host).rejects.toMatchObject({ code: 'address_refused' })
  }
  const socket = await guarded(`ws://127.0.0.1:${port}/gun`, { signal, foreign: false })
  socket.terminate()
})

test('one socket too many is refused, unless another is closing', async () => {
  const { port, sockets } = await listen(2)
  const url = `ws://127.0.0.1:${port}/gun`
  const dialled = async (): Promise<Socket> => await anywhere(url, { signal, foreign: false })
  const first = await dialled()
  const second = await dialled()
  await expect(dialled()).rejects.toThrow(/hang up|ECONNRESET/)
  expect(sockets).toHaveLength(2)
  const codes: number[] = []
  first.onClose((code) => codes.push(code))
  // The far end reads nothing, and so never answers the closing handshake.
  first.pause?.()
  sockets[0]?.close(1008)
  const third = await dialled()
  first.resume?.()
  await vi.waitFor(() => expect(codes).toHaveLength(1))
  await expect(dialled()).rejects.toThrow(/hang up|ECONNRESET/)
  for (const socket of [second, third]) socket.terminate()
})

test('a redirect is not followed', async () => {
  const { port, sockets } = await listen()
  const redirecting = createServer()
  redirecting.on('upgrade', (_request, socket) => {
    socket.end(`HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:${port}/gun\r\nConnection: close\r\n\r\n`)
  })
  redirecting.listen(0, '127.0.0.1')
  await once(redirecting, 'listening')
  onTestFinished(() => void redirecting.close())
  const url = `ws://127.0.0.1:${(redirecting.address() as AddressInfo).port}/gun`
  await expect(anywhere(url, { signal, foreign: false })).rejects.toThrow('302')
  expect(sockets).toEqual([])
})

test('a dial that is given up, refused or goes nowhere rejects', async () => {
  const silent = createServer()
  silent.on('upgrade', () => undefined)
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  onTestFinished(() => void silent.close())
  const controller = new AbortController()
  const url = `ws://127.0.0.1:${(silent.address() as AddressInfo).port}/gun`
  const dialled = anywhere(url, { signal: controller.signal, foreign: false })
  controller.abort()
  await expect(dialled).rejects.toThrow(/closed before|no link/)
  await expect(anywhere(url, { signal: controller.signal, foreign: false })).rejects.toThrow(/abort/i)
  await expect(anywhere('ws://127.0.0.1:1/gun', { signal, foreign: false })).rejects.toThrow('ECONNREFUSED')
  await expect(anywhere('not a url', { signal, foreign: false })).rejects.toThrow('Invalid URL')
})
