import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { YtDlp } from './yt-dlp.ts'

let folder: string
const runs: YtDlp[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eldernode-program-'))
})
afterEach(async () => {
  for (const made of runs.splice(0)) await made.end()
  await rm(folder, { recursive: true })
})

/** A program in the place of yt-dlp, of which only what it says is known. */
async function run(script: string, more: { url?: string; idleMs?: number; signal?: AbortSignal } = {}): Promise<YtDlp> {
  const program = join(folder, 'program')
  await writeFile(program, `#!/bin/sh\n${script}\n`)
  await chmod(program, 0o700)
  const made = new YtDlp({
    url: 'http://a.example/',
    program,
    proxy: 'http://127.0.0.1:9',
    folder,
    maxBytes: 1000,
    idleMs: 10_000,
    signal: new AbortController().signal,
    ...more,
  })
  runs.push(made)
  return made
}

async function all(made: YtDlp): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of made.bytes()) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const media = (json: string): string => `printf '%s\\n' 'eldernode-media ${json}' >&2; printf bytes`

test.each([
  ['{"title":"A film","ext":"mp4"}', 'A film.mp4'],
  ['{"title":"../../etc/passwd","ext":"mp4"}', '.._.._etc_passwd.mp4'],
  ['{"title":"..","ext":""}', 'media'],
  ['{"title":"a\\u0000b\\nc","ext":"/../x"}', 'abc'],
  [`{"title":"${'x'.repeat(400)}","ext":"webm"}`, `${'x'.repeat(200)}.webm`],
  ['{"title":5}', 'media'],
  ['not JSON', 'media'],
  ['{}', 'media'],
])('what it says of the media, %s, makes a plain name', async (json, name) => {
  const made = await run(media(json))
  expect([await made.name(), await all(made)]).toEqual([name, 'bytes'])
})

test('the URL is one argument, the last, behind the end of options', async () => {
  const url = 'http://a.example/--exec=touch%20x;$(touch y)`touch z`?a="b\'&--output=/tmp/x'
  const made = await run(`printf '%s\\n' "$@" > arguments; ${media('{}')}`, { url })
  await made.name()
  const given = (await readFile(join(folder, 'arguments'), 'utf8')).split('\n').slice(0, -1)
  expect(given.slice(-2)).toEqual(['--', url])
  expect(given[0]).toBe('--ignore-config')
  expect(given).toContain('--proxy=http://127.0.0.1:9')
})

test('it knows nothing of this process but its path, and works in its own folder', async () => {
  const made = await run(`/usr/bin/env > environment; pwd > place; ulimit -v >> place; ${media('{}')}`)
  await made.name()
  const names = (await readFile(join(folder, 'environment'), 'utf8')).split('\n').map((line) => line.split('=')[0])
  expect(
    names
      .filter((name) => !['', 'PWD', '_', 'SHLVL', 'OLDPWD'].includes(name ?? ''))
      .toSorted((a, b) => (a ?? '').localeCompare(b ?? '')),
  ).toEqual(['HOME', 'LANG', 'PATH', 'PYTHONNOUSERSITE', 'TMPDIR'])
  expect(await readFile(join(folder, 'place'), 'utf8')).toBe(`${folder}\n2097152\n`)
})

test.each([
  ['finds nothing', 'echo "ERROR: no such page\u001b[31m" >&2; exit 1', /no such page \[31m/],
  ['says nothing and ends', 'exit 0', /found no media/],
  ['is not there', 'exec /nowhere/yt-dlp', /found no media/],
])('a program that %s is an import that failed', async (_what, script, said) => {
  const made = await run(script)
  await expect(made.name()).rejects.toMatchObject({
    code: 'import_failed',
    message: expect.stringMatching(said) as unknown,
  })
})

test('what came of a run that failed at last is no media', async () => {
  const made = await run(`${media('{}')}; echo ERROR: broken >&2; exit 1`)
  await made.name()
  await expect(all(made)).rejects.toMatchObject({
    code: 'import_failed',
    message: expect.stringContaining('broken') as unknown,
  })
})

test.each([
  ['finds nothing', '/bin/sleep 100', 'name'],
  ['gives no bytes', `echo 'eldernode-media {}' >&2; /bin/sleep 100`, 'bytes'],
  ['gives no more bytes', `${media('{}')}; /bin/sleep 100`, 'bytes'],
] as const)('a program that %s in time is ended, with what it started', async (_what, script, asked) => {
  const made = await run(`${script} & wait`, { idleMs: 500 })
  const outcome = asked === 'name' ? made.name() : made.name().then(() => all(made))
  await expect(outcome).rejects.toMatchObject({ code: 'import_stalled' })
  // It resolves once nobody holds its output open, what the program started included.
  await made.end()
})

test('calling it off ends it at once', async () => {
  const abort = new AbortController()
  const made = await run('/bin/sleep 100', { signal: abort.signal })
  const named = made.name()
  abort.abort(new Error('enough'))
  await expect(named).rejects.toThrow('enough')
  const late = await run(media('{}'), { signal: abort.signal })
  await expect(all(late)).rejects.toThrow('enough')
})
