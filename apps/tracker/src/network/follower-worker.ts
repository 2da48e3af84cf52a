import { parentPort, workerData } from 'node:worker_threads'
import { follow } from './follower.ts'
import type { FollowerSettings, FromFollower, ToFollower } from './port.ts'

const port = parentPort
if (port === null) throw new Error('the follower runs in a thread of the tracker')

const say = (message: FromFollower): void => {
  const lists =
    message.kind === 'changes' ? Object.values(message.changes as unknown as Record<string, Int32Array>) : []
  port.postMessage(
    message,
    lists.map(({ buffer }) => buffer as ArrayBuffer),
  )
}

const asked: ToFollower[] = []
let answer = (message: ToFollower): void => void asked.push(message)
port.on('message', (message: ToFollower) => answer(message))

const follower = await follow(workerData as FollowerSettings, say)
answer = (message) => {
  if (message.kind === 'save') {
    follower.save()
    return say({ kind: 'saved', n: message.n })
  }
  void follower.stop().then(() => {
    say({ kind: 'stopped' })
    port.close()
  })
}
for (const message of asked.splice(0)) answer(message)
