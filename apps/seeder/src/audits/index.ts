import { type Access, type Graph, type Identity, type NodeId, signRequest } from '@eldernode/core'
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { Egress } from '../egress/index.ts'
import type { Library } from '../library/index.ts'
import { type Nearness, type Replication, sourcesOf } from '../replication/index.ts'
import { Auditor } from './auditor.ts'
import { Door } from './door.ts'
import { Measures } from './measures.ts'
import { OwnFailures } from './own-failures.ts'
import type { Audits, OwnFailure } from './port.ts'
import { Probe } from './probe.ts'

export * from './errors.ts'
export type * from './port.ts'

/** What listeners are told of an audit that failed here. */
export interface AuditEvent {
  type: 'audit.failed'
  infoHash: string
  owner: string
  access: Access
  at: number
  data: { piece: number; auditor: NodeId }
}

export interface AuditsOptions {
  identity: Identity
  graph: Graph
  library: Library
  replication: Pick<Replication, 'peers' | 'stats'> & { nearness: Nearness }
  egress: Egress
  registry: Registry
  journal: { emit(event: AuditEvent): void }
  log: Logger
  now: () => number
}

export function createAudits(options: AuditsOptions): Audits {
  const { identity, graph, library, replication, egress, log, now } = options
  const self = identity.id
  const door = new Door({
    self,
    library,
    isAuditor: (node) => graph.admits(node, 'auditor'),
    unreadable: (infoHash, err) => {
      log.error({ err, infoHash }, 'a file could not be read for an audit')
      // Whether it is the file or its disk that is gone, a comparison finds out.
      library
        .check(infoHash)
        .catch((error: unknown) => log.error({ err: error, infoHash }, 'files could not be compared'))
    },
  })
  const probe = new Probe({
    library,
    egress,
    baseOf: (id) => {
      const peer = replication.peers().find((one) => one.id === id)
      return peer && sourcesOf([peer.heartbeat.endpoints], egress).holders[0]
    },
    authorize: (method, url) => signRequest({ method, url: url.href }, identity, now()),
    measured: (id, ms) => replication.nearness.measured(id, ms),
    clock: () => performance.now(),
    random: Math.random,
  })
  const auditor = new Auditor({
    self,
    graph,
    members: () => replication.peers(),
    inStep: () => replication.stats().inStep,
    audit: (holder, task, signal) => probe.audit(holder, task, signal),
    told: (holder, { infoHash }, outcome) => {
      measures.told(outcome)
      if (outcome.what === 'failed') log.warn({ holder, infoHash, ...outcome }, 'a holder failed an audit')
      else if (outcome.what !== 'passed') log.debug({ holder, infoHash, ...outcome }, 'an audit proved nothing')
    },
    now,
    clock: () => performance.now(),
    random: Math.random,
    log,
  })
  const own = new OwnFailures({
    self,
    graph,
    library,
    read: (infoHash, piece) => door.read(infoHash, piece, self),
    hashesOf: (infoHash, signal) => probe.hashesOf(self, infoHash, signal),
    failed: (failure) => tell(failure, options),
    now,
    clock: () => performance.now(),
    log,
  })
  const measures = new Measures({
    registry: options.registry,
    running: () => auditor.running,
    buckets: () => auditor.buckets,
    failures: () => own.current().length,
  })
  return {
    door,
    start: async () => {
      await auditor.start()
      await own.start()
    },
    failures: () => own.current(),
    alarms: () => own.current().map((failure) => alarmOf(self, failure)),
    close: async () => {
      await Promise.all([auditor.close(), own.close()])
    },
  }
}

function tell({ infoHash, piece, auditor }: OwnFailure, { library, journal, now }: AuditsOptions): void {
  const item = library.head(infoHash)
  if (item === undefined) return
  const { owner, access } = item
  journal.emit({ type: 'audit.failed', infoHash, owner, access, at: now(), data: { piece, auditor } })
}

function alarmOf(node: NodeId, { infoHash, piece, since, auditor }: OwnFailure): ReturnType<Audits['alarms']>[number] {
  const detail =
    `Auditor ${auditor} did not get piece ${piece} of ${infoHash} from this node, so that its copy counts for nobody: ` +
    'the item is hashed again and mended by itself; see whether the disk is sound and http.publicUrl leads here.'
  return { code: 'audit_failed', detail, infoHash, since, node }
}
