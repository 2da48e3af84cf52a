import type { LoadedSettings, SettingAlias, SettingSource } from '@eldernode/core'
import type { Config } from './config.ts'

/** Relays are named by the address of their page. */
const webSockets = (urls: string): string => urls.replaceAll(/\bhttp(?=s?:\/\/)/g, 'ws')
/** An alarm that could never end helps nobody. */
const fewest = (copies: string): string => (copies === '1' ? '1' : '2')

/** Names that media servers before this one gave their settings. Of two for one setting the first counts. */
export const settingAliases: readonly SettingAlias[] = [
  { name: 'GUN_PORT', key: 'http.port' },
  { name: 'PORT', key: 'http.port' },
  { name: 'GUN_PEER_URL', key: 'http.publicUrl' },
  { name: 'GUN_PEERS', key: 'network.peers', translate: webSockets },
  { name: 'GUN_REPLICATION_FACTOR', key: 'replicas.target' },
  { name: 'GUN_REPLICATION_FACTOR', key: 'replicas.min', translate: fewest },
  { name: 'REPLICATION_FACTOR', key: 'replicas.target' },
  { name: 'REPLICATION_FACTOR', key: 'replicas.min', translate: fewest },
  { name: 'GUN_ENABLE_ENCRYPTION', key: 'compat.encrypt' },
  { name: 'GUN_DEFAULT_PRIVACY', key: 'compat.private' },
  { name: 'MEDIA_DIR', key: 'storage.folder' },
  { name: 'WEBTORRENT_TRACKERS', key: 'swarm.trackers' },
]

/** What the log says of older names in the environment: one line each. */
export function aliasNotes(
  { sources }: Pick<LoadedSettings<Config>, 'sources'>,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  return settingAliases
    .filter(({ name }) => (env[name] ?? '') !== '')
    .map(({ name, key }) => {
      const source = sources.get(key)
      if (source?.kind === 'alias' && source.name === name) return `${name} is read as ${key}, its name from now on`
      return `${name} is not read: ${key} is set by ${named(source)}`
    })
}

function named(source: SettingSource | undefined): string {
  return source === undefined || source.kind === 'default' ? 'its default' : source.name
}
