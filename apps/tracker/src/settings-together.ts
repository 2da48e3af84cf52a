import { join, resolve } from 'node:path'

interface AccessSettings {
  access: { mode: string; allow: string }
  network: { owner?: string | undefined; peers: readonly string[] }
  ledger: { file: string }
  cluster: { valkey: string }
}

interface FileSettings {
  snapshot: string
  ledger: { file: string }
  admin: { tokenFile: string }
  access: { allow: string; deny: string }
  network: { owner?: string | undefined; folder: string }
  cluster: { workers: number }
}

/** Tells that a setting, by its dotted key, does not go with the others, and what to do. */
export type Refuse = (key: string, message: string) => void

/** Each file that is written or read, and the setting that says so. */
const filesOf = ({ snapshot, ledger, admin, access, network, cluster }: FileSettings): [string, string][] => {
  const shards = Array.from({ length: cluster.workers }, (_, shard) => `.${shard}`)
  const own = ['node.key', 'graph.db', 'listed', 'lock'].map((name) => join(network.folder, name))
  const named = (key: string, path: string, suffixes: readonly string[] = ['']): [string, string][] =>
    path === '' ? [] : suffixes.map((suffix) => [key, resolve(path + suffix)])
  return [
    ...(network.owner === undefined ? [] : own.flatMap((path) => named('network.folder', path))),
    ...named('ledger.file', ledger.file, ['', '-wal', '-shm', '.lock']),
    ...named('admin.tokenFile', admin.tokenFile),
    ...named('access.allow', access.allow),
    ...named('access.deny', access.deny),
    ...named('snapshot', snapshot, ['', '.lock', '.partial', ...shards, ...shards.map((shard) => `${shard}.partial`)]),
  ]
}

/** No file is of two settings: what one writes destroys the other. */
export const refuseSharedFiles = (values: FileSettings, refuse: Refuse): void => {
  const owners = new Map<string, string>()
  for (const [key, path] of filesOf(values)) {
    const other = owners.get(path)
    if (other !== undefined && other !== key) return refuse(key, `${path} is what ${other} names: name another file`)
    owners.set(path, key)
  }
}

/** A tracker that could serve nobody, or not as it was meant. */
export const refuseVain = ({ access, network, ledger, cluster }: AccessSettings, refuse: Refuse): void => {
  const hasLedger = ledger.file !== '' || cluster.valkey !== ''
  if (network.owner === undefined && network.peers.length > 0) {
    refuse('network.peers', 'no network is followed without network.owner: set that too')
  } else if (access.mode === 'listed' && access.allow === '' && network.owner === undefined && !hasLedger) {
    refuse('access.mode', 'nothing can be listed: set access.allow, network.owner, ledger.file or cluster.valkey')
  }
}
