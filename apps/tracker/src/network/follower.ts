import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createGraph } from '@eldernode/core/graph'
import { Addresses } from '@eldernode/member/addresses'
import { SqliteGraphStore } from '@eldernode/member/graph-store'
import { createVerifier, openIdentity } from '@eldernode/member/keys'
import { createDial } from '@eldernode/member/links'
import { listFile, readLists, writeLists } from './list-file.ts'
import { LiveList } from './live-list.ts'
import { keyFile, type FollowerSettings, type FromFollower, type Standing } from './port.ts'

const lookMs = 250
const saveMs = 60_000
/** For what only members are shown, which is asked for once this tracker is one. */
const lingerMs = 1000

export interface Follower {
  /** Keeps the list as it is now. */
  save(): void
  stop(): Promise<void>
}

/**
 * Follows the network as a member of it: what its publishers and its owner said of items, and of one another. It takes
 * nothing else and publishes nothing, no heartbeat either: members that beat are given copies to keep and to audit.
 */
export async function follow(settings: FollowerSettings, say: (message: FromFollower) => void): Promise<Follower> {
  const { folder, owner, peers, allowPrivate, open } = settings
  const fault = (what: string) => (error: unknown) =>
    say({ kind: 'fault', what, error: String(error instanceof Error ? (error.stack ?? error.message) : error) })
  const identity = openIdentity(join(folder, keyFile))
  const store = new SqliteGraphStore(join(folder, 'graph.db'))
  const graph = createGraph({
    network: { owner, open },
    identity,
    verifier: createVerifier(),
    store,
    dial: createDial(new Addresses({ allowPrivate })),
    peers,
    keeps: ['m', 'd', 'p', 'o', 'hb'],
    onFault: fault('the graph failed at something'),
  })
  let isSaved = true
  const list = new LiveList({
    graph,
    changed: (changes) => {
      isSaved = false
      say({ kind: 'changes', changes })
    },
    now: Date.now,
    pause: () => nextTurn(),
  })
  const path = join(folder, listFile)
  const last = readLists(path)
  if (last !== undefined && last !== 'damaged') list.assume(last)

  const save = (): void => {
    list.flush()
    if (isSaved) return
    writeLists(path, list.told())
    isSaved = true
  }

  let isReady = false
  let couldBeSince = Infinity
  let said = ''
  let isFull = false
  const look = (): void => {
    const { links } = graph.stats()
    const standing: Standing = {
      links: links.filter(({ member }) => member !== undefined).length,
      inStep: links.filter(({ inSync }) => inSync).length,
      member: graph.admits(identity.id),
      ready: isReady,
      live: list.live,
      denied: list.denied,
    }
    if (standing.inStep === 0 || !standing.member) couldBeSince = Infinity
    else couldBeSince = Math.min(couldBeSince, performance.now())
    if (!isReady && performance.now() - couldBeSince >= lingerMs) {
      isReady = standing.ready = true
      list.settle().catch(fault('the list could not be settled'))
    }
    const text = JSON.stringify(standing)
    if (text !== said) say({ kind: 'standing', standing })
    said = text
    list.tick()
    if (list.leftOut > 0 && !isFull) fault('the network lists more torrents than fit here; the rest is not served')('')
    isFull = list.leftOut > 0
  }
  const saveQuietly = (): void => {
    try {
      save()
    } catch (error) {
      fault('the list could not be kept')(error)
    }
  }

  // The members come first: whose word counts for whom is known once they are.
  await graph.start()
  await list.load()
  const timers = [setInterval(look, lookMs), setInterval(saveQuietly, saveMs)]
  return {
    save: saveQuietly,
    stop: async () => {
      for (const timer of timers) clearInterval(timer)
      await graph.close()
      saveQuietly()
      list.close()
      store.close()
    },
  }
}
