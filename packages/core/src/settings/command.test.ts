import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readCommand } from './command.ts'

const schema = z.object({ http: z.object({ port: z.int().min(0).max(65535).default(8000).describe('The port.') }) })

const files: Record<string, () => unknown> = {
  '/etc/x.toml': () => ({ http: { port: 1 } }),
  'mine.toml': () => ({ http: { port: 2 } }),
  folder: () => {
    throw Object.assign(new Error('EISDIR: illegal operation on a directory, read'), { code: 'EISDIR' })
  },
  'broken.toml': () => {
    throw new Error('line 3: expected a value')
  },
}

const run = (argv: string[], defaultFile = '/etc/x.toml') =>
  readCommand(schema, {
    name: 'eldernode-x',
    summary: 'does x',
    defaultFile,
    env: {},
    argv,
    readToml: (path) => files[path]?.(),
  })

describe('readCommand', () => {
  it('reads the default file when it exists, and another when asked to', () => {
    expect(run([])).toMatchObject({ kind: 'run', values: { http: { port: 1 } } })
    expect(run([], '/etc/none.toml')).toMatchObject({ kind: 'run', values: { http: { port: 8000 } } })
    expect(run(['--config', 'mine.toml'])).toMatchObject({ values: { http: { port: 2 } } })
    expect(run(['--config=mine.toml', '--http.port=3'])).toMatchObject({ values: { http: { port: 3 } } })
  })

  it('refuses a file that is named but missing, unreadable, or not named at all', () => {
    expect(() => run(['--config', 'none.toml'])).toThrow(/--config \(file none\.toml\): there is no such file/)
    expect(() => run(['--config=broken.toml'])).toThrow(/--config \(file broken\.toml\): line 3/)
    expect(() => run(['--config=folder'])).toThrow(/--config \(file folder\): this is a folder/)
    expect(() => run(['--config'])).toThrow(/expected a file after --config/)
  })

  it('prints the settings it would run with', () => {
    expect(run(['--print-config', '--http.port', '9'])).toEqual({
      kind: 'print',
      text: 'http.port = 9 # flag --http.port\n',
    })
    expect(() => run(['--print-config', '--http.port=x'])).toThrow(/http\.port/)
  })

  it('prints every setting in its help, even when a setting is wrong', () => {
    const start = run(['--help', '--http.port=x'])
    expect(start.kind).toBe('print')
    expect(start).toHaveProperty('text', expect.stringMatching(/--http\.port\n {6}The port\./))
  })
})
