/** Where a value came from, lowest to highest. */
export type SettingSource =
  | { kind: 'default' }
  | { kind: 'alias'; name: string }
  | { kind: 'file'; name: string }
  | { kind: 'environment'; name: string }
  | { kind: 'flag'; name: string }

/** `default`, `file /etc/eldernode/seeder.toml`, `environment ELDERNODE_HTTP_PORT`, `flag --http.port`. */
export const sourceText = (source: SettingSource): string =>
  source.kind === 'default' ? 'default' : `${source.kind === 'alias' ? 'environment' : source.kind} ${source.name}`
