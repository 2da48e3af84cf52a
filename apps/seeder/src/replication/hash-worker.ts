import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { parentPort } from 'node:worker_threads'

export interface HashTask {
  id: number
  path: string
}

export type HashAnswer = { id: number; sha256: string; size: number } | { id: number; error: string }

const block = Buffer.allocUnsafe(1 << 20)

async function hash(path: string): Promise<{ sha256: string; size: number }> {
  const file = await open(path, 'r')
  try {
    const digest = createHash('sha256')
    let size = 0
    for (;;) {
      const { bytesRead } = await file.read(block, 0, block.length, size)
      if (bytesRead === 0) return { sha256: digest.digest('hex'), size }
      digest.update(block.subarray(0, bytesRead))
      size += bytesRead
    }
  } finally {
    await file.close()
  }
}

// One task at a time: the block is shared.
let turn = Promise.resolve()
parentPort?.on('message', (task: HashTask) => {
  turn = turn.then(async () => {
    let answer: HashAnswer
    try {
      answer = { id: task.id, ...(await hash(task.path)) }
    } catch (error) {
      answer = { id: task.id, error: error instanceof Error ? error.message : String(error) }
    }
    parentPort?.postMessage(answer)
  })
})
