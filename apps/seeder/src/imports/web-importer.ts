import type { Egress } from '../egress/index.ts'
import { publish, type PublishingServices } from '../publishing/index.ts'
import { leastPace, type PaceLimits } from './pace.ts'
import type { Importer } from './port.ts'
import { assertSize } from './size-limit.ts'
import { openWebSource } from './web-source.ts'

export interface WebImporterOptions {
  services: PublishingServices
  egress: Pick<Egress, 'dispatcher'>
  maxBytes: number
  pace?: PaceLimits
}

/** Publishes what a URL leads to, as one file. */
export function createWebImporter({ services, egress, maxBytes, pace = leastPace }: WebImporterOptions): Importer {
  return async ({ source, wanted: { maxBytes: asked, ...wanted }, signal, progress }) => {
    const { dispatcher } = egress
    const { name, size, bytes } = await openWebSource(source, { dispatcher, maxBytes, asked, pace, signal })
    const told = (received: number): void => {
      // This node's own limit is kept by the ingest.
      assertSize(received, { asked })
      progress(received, size)
    }
    const file = { path: wanted.name ?? name, bytes: counted(bytes, told) }
    const { item } = await publish(services, one(file), {
      ...wanted,
      ...(size !== undefined && { expectedSize: size }),
      disposable: true,
      signal,
    })
    return item
  }
}

async function* one<T>(value: T): AsyncGenerator<T> {
  yield value
}

/** @param told may throw, which ends it */
export async function* counted(
  bytes: AsyncIterable<Uint8Array>,
  told: (received: number) => void,
): AsyncGenerator<Uint8Array> {
  let received = 0
  told(received)
  for await (const chunk of bytes) {
    received += chunk.length
    told(received)
    yield chunk
  }
}
