import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFailed, onTestFinished, test } from 'vitest'
import { Program, until } from '../harness/index.ts'
import { RawSocket, UdpPeer } from '../harness/announces.ts'

const main = resolve(import.meta.dirname, '../../apps/tracker/src/main.ts')

const run = (...settings: string[]): Program => {
  const args = ['--conditions=@eldernode/source', main, '--host=127.0.0.1', ...settings]
  const program = new Program({ name: 'tracker', command: process.execPath, args })
  onTestFinished(async () => {
    await program.end('SIGKILL')
  })
  return program
}

test.for(['SIGTERM', 'SIGINT'] as const)('stops within 2 s of %s, connections or not', async (signal) => {
  const program = run('--port=0')
  onTestFailed(() => console.error(program.output()))
  const url = await until(() => program.found((line) => /ws:\/\/[\d.:]+/.exec(line)?.[0]), {
    within: 20_000,
    what: 'the tracker listens',
  })
  await RawSocket.open(url)
  const idle = connect(Number(new URL(url).port), '127.0.0.1')
  idle.on('error', () => idle.destroy())
  await once(idle, 'connect')
  idle.write('GET /health HTTP/1.1\r\nHost: x\r\n')
  const began = performance.now()
  expect(await program.end(signal)).toBe(0)
  expect(performance.now() - began).toBeLessThan(2000)
})

test('ends with code 1 and names a port that is taken', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void other.close())
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const program = run(`--port=${port}`)
  expect(await program.exited()).toBe(1)
  expect(program.output()).toContain(`Cannot listen on 127.0.0.1 port ${port}: another program has it`)
})

test.for(['snapshot', 'ledger.file', 'admin.tokenFile'])('ends with code 78 for a %s in no folder', async (key) => {
  const program = run('--port=0', `--${key}=/nowhere/file`)
  expect(await program.exited()).toBe(78)
  expect(program.output()).toContain(key)
  expect(program.output()).not.toContain('    at ')
})

test('ends with code 78 where it may never listen', async () => {
  const program = run('--port=0', '--host=203.0.113.5')
  expect(await program.exited()).toBe(78)
  expect(program.output()).toContain('correct the setting host')
})

test('ends with code 78 and names every wrong setting', async () => {
  const program = run('--port=x', '--nonsense=1')
  expect(await program.exited()).toBe(78)
  expect(program.output()).toMatch(/2 settings are wrong[^]*nonsense \(flag --nonsense\)[^]*port \(flag --port\)/)
})

test('prints its settings with their sources', async () => {
  const program = run('--print-config')
  expect(await program.exited()).toBe(0)
  expect(program.lines).toEqual(expect.arrayContaining(['host = "127.0.0.1" # flag --host', 'port = 8000 # default']))
})

test('peers outlive a restart in a file; a damaged one costs no start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-tracker-'))
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }))
  const snapshot = `--snapshot=${join(folder, 'peers')}`
  const listening = async (program: Program): Promise<number> => {
    const url = await until(() => program.found((line) => /ws:\/\/[\d.:]+/.exec(line)?.[0]), {
      within: 20_000,
      what: 'the tracker listens',
    })
    return Number(new URL(url).port)
  }
  const announce = async (port: number, from: number): Promise<number | undefined> => {
    const peer = await UdpPeer.open(port)
    const id = await peer.connect()
    peer.send(UdpPeer.announce(id, Buffer.alloc(20, 7), 'p'.repeat(20), { port: from }))
    const answer = await peer.next(5000)
    peer.close()
    return answer?.readInt32BE(12)
  }
  const first = run('--port=0', snapshot)
  expect(await announce(await listening(first), 7001)).toBe(1)
  expect(await first.end('SIGTERM')).toBe(0)
  const second = run('--port=0', snapshot)
  expect(await announce(await listening(second), 7002)).toBe(2)
  expect(await second.end('SIGTERM')).toBe(0)
  await writeFile(join(folder, 'peers'), 'eldernode tracker peers 1\nnonsense')
  const third = run('--port=0', snapshot)
  expect(await announce(await listening(third), 7003)).toBe(1)
  expect(third.output()).toContain('damaged')
  const fourth = run('--port=0', snapshot)
  expect(await fourth.exited()).toBe(1)
  expect(fourth.output()).toContain('snapshot: another eldernode process works with')
})
