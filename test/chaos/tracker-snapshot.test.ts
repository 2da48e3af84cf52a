import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, type TestContext } from 'vitest'
import { Program } from '../harness/index.ts'
import { lacks } from '../harness/tools.ts'
import { peersIn, savePeers } from './snapshots.ts'

const saver = join(import.meta.dirname, 'snapshot-saver.ts')

/** A folder with a file of 300 peers. */
const withPeers = async ({ onTestFinished }: TestContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'eldernode-snapshot-'))
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }))
  savePeers(join(folder, 'peers'), 300)
  return folder
}

/** Writes a file of 500 over it in a process of its own, with what `strace` makes of one system call on it. */
const save = async (folder: string, inject: string): Promise<number | NodeJS.Signals> => {
  const path = join(folder, 'peers')
  const paths = [path, `${path}.partial`, folder].flatMap((one) => ['-P', one])
  const call = inject.split(':')[0] ?? ''
  const traced = ['-f', '-o', '/dev/null', ...paths, '-e', `trace=${call}`, '-e', `inject=${inject}`]
  const node = [process.execPath, '--conditions=@eldernode/source', saver, path, '500']
  const program = new Program({ name: 'saver', command: 'strace', args: [...traced, ...node] })
  return await program.exited()
}

// The first file that is opened is the one that stands: whether it is one of peers.
test.concurrent.for([
  ['openat', 2, [300]],
  ['write', 1, [300]],
  ['fsync', 1, [300]],
  ['close', 2, [300]],
  // The kernel may have done what it was asked for as the signal came.
  ['rename', 1, [300, 500]],
  ['openat', 3, [500]],
  ['fsync', 2, [500]],
  ['close', 3, [500]],
] as const)(
  'killed at %s number %i, a tracker leaves a whole file of peers',
  async ([call, number, peers], context) => {
    context.skip(lacks('strace'))
    const folder = await withPeers(context)
    const path = join(folder, 'peers')
    expect(await save(folder, `${call}:signal=KILL:when=${number}`)).toBe('SIGKILL')
    expect(peers).toContain(peersIn(path))
    // What was left half done stands in nobody's way.
    savePeers(path, 700)
    expect(peersIn(path)).toBe(700)
  },
)

test.concurrent.for(['write:error=ENOSPC', 'fsync:error=EIO:when=1', 'rename:error=EACCES'])(
  'where the disk says %s, the last file stands',
  async (inject, context) => {
    context.skip(lacks('strace'))
    const folder = await withPeers(context)
    expect(await save(folder, inject)).toBe(0)
    expect(peersIn(join(folder, 'peers'))).toBe(300)
  },
)

test('half a file that stands where a whole one should is not used', async (context) => {
  const path = join(await withPeers(context), 'peers')
  await writeFile(path, 'eldernode tracker peers 1\n')
  expect(peersIn(path)).toBe(0)
})
