import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { type BoundedCommand, runBounded } from './bounded-process.ts'
import { ToolFailedError, ToolMissingError } from './errors.ts'

const bounds = { ms: 20_000, memory: 2 ** 30, output: 10_000 }
const sh = (script: string, change: Partial<BoundedCommand> = {}) =>
  runBounded({ program: 'sh', args: ['-c', script], bounds, ...change })

/** Whether a process runs that was given this argument. */
async function runs(argument: string): Promise<boolean> {
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command.split('\0').includes(argument)) return true
  }
  return false
}

test('gives what the program says, having read what it was given', async () => {
  expect(String(await sh('cat; echo " and more"', { input: Buffer.from('bytes') }))).toBe('bytes and more\n')
})

test('a program that takes no input may leave it', async () => {
  expect(String(await sh('echo done', { input: Buffer.alloc(5_000_000) }))).toBe('done\n')
})

test('one that hangs is dead when its time is over', async () => {
  const run = sh('exec sleep 98761.25', { bounds: { ...bounds, ms: 300 } })
  await expect(run).rejects.toThrow(/not within 1 s/)
  expect(await runs('98761.25')).toBe(false)
})

test('what it started ends with it', async () => {
  const run = sh('sleep 98763.75 & sleep 98764.5; true', { bounds: { ...bounds, ms: 300 } })
  await expect(run).rejects.toThrow(/not within/)
  for (const time of ['98763.75', '98764.5']) {
    await vi.waitFor(async () => expect(await runs(time)).toBe(false), { timeout: 10_000 })
  }
})

test('one that says too much is ended, at once', async () => {
  await expect(sh('yes')).rejects.toThrow(/more than 10000 bytes/)
})

test('one that fills the memory fails by itself', async () => {
  await expect(sh('tail /dev/zero', { bounds: { ...bounds, memory: 2 ** 27 } })).rejects.toThrow(ToolFailedError)
})

test('one that works for too long is ended by the kernel, should this process be gone', async () => {
  await expect(sh('ulimit -t')).resolves.toEqual(Buffer.from('20\n'))
})

test('no file can be written', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-bounded-'))
  const path = join(folder, 'written')
  await expect(sh(`head -c 100 /dev/zero > ${path}`)).rejects.toThrow(ToolFailedError)
  expect((await stat(path)).size).toBe(0)
  await rm(folder, { recursive: true })
})

test('nothing of the settings, which may be secret, is in its environment', async () => {
  vi.stubEnv('ELDERNODE_SWARM_ICE_SERVERS', 'turn:user:password@host:1')
  const environment = String(await sh('env'))
  vi.unstubAllEnvs()
  expect(environment).toMatch(/^PATH=/m)
  expect(environment).not.toMatch(/ELDERNODE|password/)
})

test('arguments are no shell words', async () => {
  const odd = '$(touch /tmp/x) "; \' `id` -x'
  const output = await runBounded({ program: 'printf', args: ['%s', odd], bounds })
  expect(String(output)).toBe(odd)
})

test('says whether the program is missing or failed, and what it complained of', async () => {
  await expect(runBounded({ program: 'no-such-program', args: [], bounds })).rejects.toThrow(ToolMissingError)
  await expect(sh('echo broken file >&2; exit 3')).rejects.toThrow(/ended with 3: broken file/)
})

test('ends when aborted', async () => {
  const abort = new AbortController()
  const run = sh('exec sleep 98762.5', { signal: abort.signal })
  await vi.waitFor(async () => expect(await runs('98762.5')).toBe(true), { timeout: 10_000 })
  abort.abort(new Error('the node stops'))
  await expect(run).rejects.toThrow('the node stops')
  expect(await runs('98762.5')).toBe(false)
  await expect(sh('true', { signal: abort.signal })).rejects.toThrow('the node stops')
})
