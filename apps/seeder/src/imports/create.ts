import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Events, EventType } from '../events/index.ts'
import type { ImportRecord, ImportState, Library } from '../library/index.ts'
import { Egress } from '../egress/index.ts'
import { Imports } from './imports.ts'
import { observe } from './metrics.ts'
import { createTorrentImporters, type TorrentImporterOptions } from './torrent-importer.ts'
import { createWebImporter } from './web-importer.ts'
import { createYtDlpImporter } from './yt-dlp-importer.ts'

/** What the operator sets. */
export interface ImportSettings {
  parallel: number
  most: number
  retries: number
  trackers: boolean
  allowPrivate: boolean
  ytDlp: boolean
}

export interface CreateImportsOptions {
  settings: ImportSettings
  services: TorrentImporterOptions['services']
  maxBytes: number
  events: Events
  registry: Registry
  log: Logger
  now: () => number
}

/** Imports with a way out of their own: what a token's holder names leads to the operator's network only if that is set. */
export function createImports({ settings, services, maxBytes, events, registry, log, now }: CreateImportsOptions): {
  imports: Imports
  start(): void
  close(): Promise<void>
} {
  const { parallel, most, retries, trackers, allowPrivate, ytDlp } = settings
  const program = ytDlp ? programPath('yt-dlp') : undefined
  if (ytDlp && program === undefined) log.warn('imports.ytDlp is set, and yt-dlp is not on the PATH')
  const egress = new Egress({ allowPrivate, allowedOrigins: [], permittedBy: 'imports.allowPrivate' })
  const imports = new Imports({
    store: services.library.imports,
    importers: {
      url: createWebImporter({ services, egress, maxBytes }),
      ...(program !== undefined && {
        'yt-dlp': createYtDlpImporter({ services, egress, program, python: programPath('python3'), maxBytes }),
      }),
      ...createTorrentImporters({ services, egress, maxBytes, foreignTrackers: trackers }),
    },
    parallel,
    most,
    retries,
    changed: (record) => tell(events, record, services.library),
    log,
    now,
  })
  observe(imports, registry)
  return {
    imports,
    start: () => imports.start(),
    close: async () => {
      await imports.close()
      await egress.close()
    },
  }
}

const types: Partial<Record<ImportState, EventType>> = {
  running: 'import.started',
  done: 'import.done',
  failed: 'import.failed',
  cancelled: 'import.cancelled',
}

function tell(
  events: Events,
  { id, owner, state, infoHash, error, changedAt }: ImportRecord,
  library: Pick<Library, 'head'>,
): void {
  const type = types[state]
  if (type === undefined) return
  const data = { import: id, ...(error && { code: error.code }) }
  const item = infoHash !== undefined && { infoHash }
  const access = (infoHash !== undefined && library.head(infoHash)?.access) || 'private'
  events.emit({ type, owner, access, at: changedAt, ...item, data })
}

function programPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
