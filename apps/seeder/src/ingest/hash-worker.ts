import { createHash } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { mediaTypeOf, sniffedBytes } from './media-type.ts'
import type { FromWorker, JobResult, ToWorker } from './messages.ts'
import { PieceHasher } from './piece-hasher.ts'
import { Sealer } from './sealer.ts'

interface Job {
  pieces: PieceHasher | undefined
  describe: boolean
  hash: ReturnType<typeof createHash>
  head: Buffer
  sealing: { sealer: Sealer; plain: ReturnType<typeof createHash> } | undefined
  files: Promise<JobResult['files'][number]>[]
}

const port = parentPort
if (port === null) throw new Error('hash-worker runs as a worker thread only')
const jobs = new Map<number, Job>()
const answer = (message: FromWorker) => port.postMessage(message)

port.on('message', (message: ToWorker) => {
  if (message.kind === 'start') {
    const { pieceLength, describe } = message
    const pieces = pieceLength === undefined ? undefined : new PieceHasher(pieceLength)
    const fresh = { hash: createHash('sha256'), head: Buffer.alloc(0), sealing: undefined, files: [] }
    jobs.set(message.job, { pieces, describe, ...fresh })
    return
  }
  const job = jobs.get(message.job)
  if (message.kind === 'bytes') {
    if (job?.sealing !== undefined) seal(job, job.sealing, message)
    else if (job !== undefined) read(job, new Uint8Array(message.memory, 0, message.length))
    answer({ kind: 'read', sealed: job?.sealing !== undefined })
  }
  if (job === undefined) return
  if (message.kind === 'seal') {
    job.sealing = { sealer: new Sealer(message.key), plain: createHash('sha256') }
    hash(job, message.head)
  }
  if (message.kind === 'dropPieces') job.pieces = undefined
  if (message.kind === 'endFile' && job.describe) endFile(job, message.path)
  if (message.kind === 'drop' || message.kind === 'finish') jobs.delete(message.job)
  if (message.kind === 'finish') void finish(message.job, job)
})

function read(job: Job, bytes: Uint8Array): void {
  hash(job, bytes)
  if (!job.describe) return
  const missing = sniffedBytes - job.head.length
  if (missing > 0) job.head = Buffer.concat([job.head, bytes.subarray(0, missing)])
}

function seal(
  job: Job,
  { sealer, plain }: NonNullable<Job['sealing']>,
  { memory, length, last }: ToWorker & { kind: 'bytes' },
): void {
  const bytes = new Uint8Array(memory)
  plain.update(bytes.subarray(0, length))
  hash(job, sealer.seal(bytes, length, last))
}

function hash(job: Job, bytes: Uint8Array): void {
  job.pieces?.update(bytes)
  if (job.describe) job.hash.update(bytes)
}

function endFile(job: Job, path: string): void {
  const sha256 = job.hash.digest('hex')
  const plainSha256 = job.sealing?.plain.digest('hex')
  const found = { sha256, ...(plainSha256 !== undefined && { plainSha256 }) }
  job.files.push(mediaTypeOf(job.head, path).then((type) => ({ ...found, type })))
  job.hash = createHash('sha256')
  job.head = Buffer.alloc(0)
  job.sealing = undefined
}

async function finish(id: number, job: Job): Promise<void> {
  const pieces = job.pieces?.finish() ?? new Uint8Array()
  answer({ kind: 'result', job: id, result: { pieces, files: await Promise.all(job.files) } })
}
