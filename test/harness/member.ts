import { join } from 'node:path'
import { createGraph, MemoryGraphStore, type Graph } from '@eldernode/core/graph'
import { Addresses } from '@eldernode/member/addresses'
import { createVerifier, openIdentity } from '@eldernode/member/keys'
import { createDial } from '@eldernode/member/links'
import type { Network } from './network.ts'
import { until } from './until.ts'

/** A member that is no seeder: it has a key, a certificate and a link, and may say what it likes. */
export class Member {
  readonly id: string
  readonly graph: Graph

  private constructor(id: string, graph: Graph) {
    this.id = id
    this.graph = graph
  }

  /**
   * Has the network's owner admit a new key, and waits until its link is in step.
   * @param now the time as the network has it, if that is another than this process's
   */
  static async join(network: Network, now = Date.now): Promise<Member> {
    const identity = openIdentity(join(network.folder, 'member.key'))
    const graph = createGraph({
      network: { owner: await network.owner() },
      identity,
      verifier: createVerifier(),
      store: new MemoryGraphStore(),
      dial: createDial(new Addresses({ allowPrivate: true })),
      peers: [network.first.gun],
      now,
      onFault: (error) => {
        throw error
      },
    })
    await graph.start()
    await network.admit(identity.id)
    await until(() => graph.admits(identity.id), { within: 20_000, what: 'the member knows its certificate' })
    return new Member(identity.id, graph)
  }

  async close(): Promise<void> {
    await this.graph.close()
  }
}
