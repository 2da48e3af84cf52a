import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { SettingsError } from './errors.ts'
import { loadSettings, type SettingsInput } from './load.ts'
import { describeSettings, printSettings } from './print.ts'
import { sourceText } from './source.ts'

const schema = z.object({
  data: z.string().min(1).default('/var/lib/x').describe('Where it keeps things.'),
  swarm: z.object({
    maxConns: z.int().min(1).max(1000).default(55).describe('Connections.').meta({ hot: true }),
    trackers: z.array(z.url()).default([]).describe('Announce URLs.'),
  }),
  network: z.object({
    owner: z.string().length(5).optional().describe('Owner.'),
    open: z.boolean().default(false).describe('Open.'),
    token: z.string().min(3).default('hush').describe('Token.').meta({ secret: true }),
  }),
  log: z.object({ level: z.enum(['info', 'debug']).default('info').describe('Level.') }),
})

const load = (input: SettingsInput = {}) => loadSettings(schema, input)

const problemsOf = (input: SettingsInput): string[] => {
  try {
    load(input)
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    expect(error.code).toBe('invalid_settings')
    return error.problems.map(({ key, source, message }) => `${key} | ${source} | ${message}`)
  }
  throw new Error('expected the settings to be refused')
}

describe('loadSettings', () => {
  it('has the defaults when nothing is set', () => {
    const { values, sources } = load()
    expect(values).toEqual({
      data: '/var/lib/x',
      swarm: { maxConns: 55, trackers: [] },
      network: { open: false, token: 'hush' },
      log: { level: 'info' },
    })
    expect(sourceText(sources.get('swarm.maxConns') ?? { kind: 'flag', name: '' })).toBe('default')
  })

  it('ranks flag over environment over file over default, and says where each value came from', () => {
    const { values, sources } = load({
      file: { name: '/etc/x.toml', values: { data: '/file', swarm: { maxConns: 1 }, log: { level: 'debug' } } },
      env: { ELDERNODE_SWARM_MAX_CONNS: '2', ELDERNODE_DATA: '/env', HOME: '/root' },
      argv: ['--swarm.maxConns=3'],
    })
    expect(values).toMatchObject({ data: '/env', swarm: { maxConns: 3 }, log: { level: 'debug' } })
    expect(['swarm.maxConns', 'data', 'log.level', 'network.open'].map((key) => sourceText(sources.get(key)!))).toEqual(
      ['flag --swarm.maxConns', 'environment ELDERNODE_DATA', 'file /etc/x.toml', 'default'],
    )
  })

  it('reads flags as --a.b=c, --a.b c and a bare --a.b for true, the last one winning', () => {
    const { values } = load({ argv: ['--data', '/a', '--data=/b=c', '--network.open', '--swarm.maxConns', '7'] })
    expect(values).toMatchObject({ data: '/b=c', network: { open: true }, swarm: { maxConns: 7 } })
    expect(load({ argv: ['--network.open', 'false'] }).values.network.open).toBe(false)
  })

  it('reads lists from commas, from repeated flags, and empty', () => {
    const trackers = ['ws://a.test/', 'udp://b.test:1', 'http://c.test/']
    const flags = ['--swarm.trackers', `${trackers[0]}, ${trackers[1]}`, `--swarm.trackers=${trackers[2]}`]
    expect(load({ argv: flags }).values.swarm.trackers).toEqual(trackers)
    expect(load({ env: { ELDERNODE_SWARM_TRACKERS: trackers.join(',') } }).values.swarm.trackers).toEqual(trackers)
    const file = { name: 'f', values: { swarm: { trackers } } }
    expect(load({ file }).values.swarm.trackers).toEqual(trackers)
    expect(load({ file, argv: ['--swarm.trackers='] }).values.swarm.trackers).toEqual([])
  })

  it('takes an empty environment variable as not set', () => {
    expect(load({ env: { ELDERNODE_NETWORK_OWNER: '' } }).values.network.owner).toBeUndefined()
  })

  it('names key, source and expectation of every wrong value at once', () => {
    const problems = problemsOf({
      file: { name: 'x.toml', values: { data: 5, swarm: 7, http: { port: 1 }, log: { colour: 'red' } } },
      env: { ELDERNODE_SWARM_MAX_CONNS: 'many', ELDERNODE_SWARM_MAXCONNS: '3', ELDERNODE_NETWORK_TOKEN: 'x' },
      argv: ['--network.open=perhaps', '--log.level', 'loud', '--nope', 'word', 'stray', '--network.owner'],
    })
    expect(problems.toSorted()).toEqual(
      [
        'swarm | file x.toml | expected a table of settings',
        'http | file x.toml | no such setting; --help lists them all',
        'log.colour | file x.toml | no such setting; --help lists them all',
        'ELDERNODE_SWARM_MAXCONNS | environment ELDERNODE_SWARM_MAXCONNS | no such setting; --help lists them all',
        'nope | flag --nope | no such setting; --help lists them all',
        'stray | command line | expected a flag such as --name=value',
        'network.owner | flag --network.owner | has no value, expected text of 5 characters',
        'data | file x.toml | got 5, expected text of at least 1 characters',
        'swarm.maxConns | environment ELDERNODE_SWARM_MAX_CONNS | got "many", expected a whole number from 1 to 1000',
        'network.token | environment ELDERNODE_NETWORK_TOKEN | got a wrong value (not shown), expected text of at least 3 characters',
        'network.open | flag --network.open | got "perhaps", expected true or false',
        'log.level | flag --log.level | got "loud", expected one of info, debug',
      ].toSorted(),
    )
  })

  it('says a setting is wrong once, however many items of its list are', () => {
    expect(problemsOf({ argv: ['--swarm.trackers=a,b'] })).toEqual([
      'swarm.trackers | flag --swarm.trackers | got ["a","b"], expected a list, each item a URL',
    ])
  })

  it.each(['', '0x10', '1e3', '1.5', 'NaN', '1001', '0', '-1'])('refuses %j as a number of connections', (text) => {
    expect(problemsOf({ argv: [`--swarm.maxConns=${text}`] })).toHaveLength(1)
  })

  it('refuses names of Object.prototype in every source', () => {
    const file = { name: 'f', values: JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as unknown }
    const env = { ELDERNODE_CONSTRUCTOR: '1', ELDERNODE___PROTO__: '1' }
    expect(problemsOf({ file, env, argv: ['--__proto__.polluted=1', '--toString'] })).toHaveLength(6)
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  it('refuses a file that is no table', () => {
    expect(problemsOf({ file: { name: 'f', values: [1] } })).toHaveLength(1)
  })

  it('reports a rule between settings with its own message', () => {
    const pair = z.object({ a: z.int().default(1), b: z.int().default(2) }).refine(({ a, b }) => a < b, {
      message: 'must be below b',
      path: ['a'],
    })
    expect(() => loadSettings(pair, { argv: ['--a=3'] })).toThrow(/a \(flag --a\): must be below b/)
  })

  it('asks for a setting that has no default', () => {
    const strict = z.object({ a: z.object({ b: z.int().describe('B.') }) })
    expect(() => loadSettings(strict, {})).toThrow(/a\.b \(default\): has no value, expected a whole number/)
    expect(loadSettings(strict, { argv: ['--a.b=-4'] }).values).toEqual({ a: { b: -4 } })
  })
})

describe('printSettings', () => {
  it('prints each value with its source and hides secrets', () => {
    const text = printSettings(schema, load({ env: { ELDERNODE_NETWORK_TOKEN: 'sesame' }, argv: ['--data=/d'] }))
    expect(text.split('\n')).toEqual([
      'data = "/d" # flag --data',
      'swarm.maxConns = 55 # default',
      'swarm.trackers = [] # default',
      '# network.owner is not set',
      'network.open = false # default',
      'network.token = "***" # environment ELDERNODE_NETWORK_TOKEN',
      'log.level = "info" # default',
      '',
    ])
  })
})

describe('describeSettings', () => {
  it('gives a row for each setting in order', () => {
    const rows = describeSettings(schema)
    expect(rows.map(({ key }) => key)).toContain('network.owner')
    expect(rows[1]).toEqual({
      key: 'swarm.maxConns',
      env: 'ELDERNODE_SWARM_MAX_CONNS',
      default: '55',
      expected: 'a whole number from 1 to 1000',
      description: 'Connections.',
      hot: true,
    })
    expect(rows.filter(({ hot }) => hot)).toHaveLength(1)
  })
})
