import { loadSettings } from '@eldernode/core'
import { expect, test } from 'vitest'
import { aliasNotes, settingAliases } from './aliases.ts'
import { configSchema } from './config.ts'

const older = {
  GUN_PEERS: 'http://one:8765/gun,https://two/gun, ws://three/gun',
  GUN_PORT: '8888',
  PORT: '3005',
  GUN_PEER_URL: 'https://media.example.org',
  GUN_REPLICATION_FACTOR: '1',
  GUN_ENABLE_ENCRYPTION: 'true',
  GUN_DEFAULT_PRIVACY: 'true',
  MEDIA_DIR: '/srv/media',
  WEBTORRENT_TRACKERS: 'wss://a.example.org,udp://b.example.org:6969',
}

const load = (env: Record<string, string>, values: object = {}, argv: string[] = []) =>
  loadSettings(configSchema, { env, argv, file: { name: 'seeder.toml', values }, aliases: settingAliases })

test('older names are read where nothing else is said', () => {
  const { values } = load(older)
  expect(values).toMatchObject({
    http: { port: 8888, publicUrl: 'https://media.example.org' },
    network: { peers: ['ws://one:8765/gun', 'wss://two/gun', 'ws://three/gun'] },
    replicas: { min: 1, target: 1 },
    compat: { encrypt: true, private: true },
    storage: { folder: '/srv/media' },
    swarm: { trackers: ['wss://a.example.org', 'udp://b.example.org:6969'] },
  })
  expect(load({ PORT: '3005', REPLICATION_FACTOR: '5' }).values).toMatchObject({
    http: { port: 3005 },
    replicas: { min: 2, target: 5 },
  })
})

test('the new name wins, whichever way it is given', () => {
  expect(load(older, { http: { port: 1 } }).values.http.port).toBe(1)
  expect(load({ ...older, ELDERNODE_HTTP_PORT: '2' }, { http: { port: 1 } }).values.http.port).toBe(2)
  expect(load(older, {}, ['--http.port=3']).values.http.port).toBe(3)
})

test('each older name is told of, and what became of it', () => {
  const env = { GUN_PORT: '8888', PORT: '1', MEDIA_DIR: '/srv/media', HOME: '/root', GUN_PEERS: '' }
  expect(aliasNotes(load(env, { storage: { folder: '/data' } }), env)).toEqual([
    'GUN_PORT is read as http.port, its name from now on',
    'PORT is not read: http.port is set by GUN_PORT',
    'MEDIA_DIR is not read: storage.folder is set by seeder.toml',
  ])
})

test('a wrong value is refused by the name that the operator wrote', () => {
  expect(() => load({ GUN_PORT: 'many' })).toThrow('http.port (environment GUN_PORT): got "many"')
})
