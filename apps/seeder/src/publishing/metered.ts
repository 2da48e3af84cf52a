import type { Allowance } from '../access/index.ts'
import type { IncomingFile } from '../ingest/index.ts'

/** The files as they come, each byte taken from what their owner may publish. @throws what `allowance.take` throws */
export async function* metered(files: AsyncIterable<IncomingFile>, allowance: Allowance): AsyncGenerator<IncomingFile> {
  for await (const file of files) {
    if (file.lies === undefined) yield { ...file, bytes: counted(file.bytes, allowance) }
    else {
      allowance.take(file.lies.size)
      yield file
    }
  }
}

/** Bytes as they come, each taken from what their owner may publish. */
export async function* counted(bytes: AsyncIterable<Uint8Array>, allowance: Allowance): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    allowance.take(chunk.length)
    yield chunk
  }
}
