import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Egress, EgressProxy } from '../egress/index.ts'
import type { IncomingFile } from '../ingest/index.ts'
import { publish, type PublishingServices } from '../publishing/index.ts'
import { importUrl } from './address.ts'
import { leastPace, paced } from './pace.ts'
import type { Importer, Work } from './port.ts'
import { assertSize } from './size-limit.ts'
import { counted } from './web-importer.ts'
import { YtDlp } from './yt-dlp.ts'

/** Bytes until the media is found. */
const mostOfPages = 64 * 2 ** 20

export interface YtDlpImporterOptions {
  services: PublishingServices
  egress: Egress
  program: string
  /** Where Python is, for a program that asks the path for it. */
  python: string | undefined
  maxBytes: number
  idleMs?: number
}

/** Publishes the media that yt-dlp finds in a page. It makes all of its connections through this node's egress. */
export function createYtDlpImporter(options: YtDlpImporterOptions): Importer {
  const { services, egress, program, python, maxBytes, idleMs = 120_000 } = options

  const publishFrom = async (run: YtDlp, proxy: EgressProxy, work: Work) => {
    const { signal, progress } = work
    const { maxBytes: asked, ...wanted } = work.wanted
    const told = (received: number): void => {
      assertSize(received, { asked })
      progress(received)
    }
    const files = async function* (): AsyncGenerator<IncomingFile> {
      const name = await run.name()
      proxy.allow(Infinity)
      yield { path: wanted.name ?? name, bytes: counted(paced(run.bytes(), leastPace), told) }
    }
    return (await publish(services, files(), { ...wanted, signal })).item
  }

  return async (work) => {
    const url = importUrl(work.source).href
    const { signal } = work
    // Swept after a crash.
    const staging = await services.library.stage()
    const bin = join(staging.folder, 'bin')
    await mkdir(bin)
    if (python !== undefined) await symlink(python, join(bin, 'python3'))
    const proxy = await EgressProxy.open(egress)
    // It keeps each page in memory.
    proxy.allow(mostOfPages)
    const run = new YtDlp({ url, program, proxy: proxy.url, folder: staging.folder, maxBytes, idleMs, signal })
    try {
      return await publishFrom(run, proxy, work)
    } finally {
      await run.end()
      await proxy.close()
      await staging.discard()
    }
  }
}
