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
  /** Of the file being read, if it is encrypted once it was hashed. */
  sealer: Sealer | undefined
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
    const fresh = { hash: createHash('sha256'), head: Buffer.alloc(0), sealer: undefined, files: [] }
    jobs.set(message.job, { pieces, describe, ...fresh })
    return
  }
  const job = jobs.get(message.job)
  if (message.kind === 'bytes') {
    const { memory, length, last } = message
    if (job !== undefined) read(job, new Uint8Array(memory, 0, length))
    job?.sealer?.seal(new Uint8Array(memory), length, last)
    answer({ kind: 'read', sealed: job?.sealer !== undefined })
  }
  if (job === undefined) return
  if (message.kind === 'seal') job.sealer = new Sealer(message.key)
  if (message.kind === 'dropPieces') job.pieces = undefined
  if (message.kind === 'endFile' && job.describe) endFile(job, message.path)
  if (message.kind === 'drop' || message.kind === 'finish') jobs.delete(message.job)
  if (message.kind === 'finish') void finish(message.job, job)
})

function read(job: Job, bytes: Uint8Array): void {
  job.pieces?.update(bytes)
  if (!job.describe) return
  job.hash.update(bytes)
  const missing = sniffedBytes - job.head.length
  if (missing > 0) job.head = Buffer.concat([job.head, bytes.subarray(0, missing)])
}

function endFile(job: Job, path: string): void {
  const sha256 = job.hash.digest('hex')
  job.files.push(mediaTypeOf(job.head, path).then((type) => ({ sha256, type })))
  job.hash = createHash('sha256')
  job.head = Buffer.alloc(0)
  job.sealer = undefined
}

async function finish(id: number, job: Job): Promise<void> {
  const pieces = job.pieces?.finish() ?? new Uint8Array()
  answer({ kind: 'result', job: id, result: { pieces, files: await Promise.all(job.files) } })
}
