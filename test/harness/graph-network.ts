import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GraphCommand, GraphNodeSettings, GraphNodeState } from './graph-node.ts'
import { identityOfSeed } from './graph-values.ts'
import { until } from './until.ts'

const program = fileURLToPath(new URL('./graph-node.ts', import.meta.url))

/** One graph node in a process of its own, with a SQLite store. */
export class GraphNode {
  /** Its key, so that a test can sign as a member that misbehaves. */
  readonly identity: ReturnType<typeof identityOfSeed>
  port = 0
  readonly #settings: GraphNodeSettings
  #child: ChildProcess | undefined
  #counter = 0

  constructor(settings: GraphNodeSettings) {
    this.#settings = settings
    this.identity = identityOfSeed(settings.seed)
  }

  get id(): string {
    return this.identity.id
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/gun`
  }

  /** Starts the process; after the first time on the same port. */
  async start(): Promise<void> {
    const settings = { ...this.#settings, port: this.port }
    this.#child = fork(program, [JSON.stringify(settings)], {
      execArgv: ['--conditions=@eldernode/source'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => {
      if (!chunk.includes('Thanks for using GUN')) process.stderr.write(chunk)
    })
    this.port = (await this.#answer(0)) as number
  }

  async ask(command: GraphCommand & { do: 'state' }): Promise<GraphNodeState>
  async ask(command: GraphCommand & { do: 'publish' | 'close' }): Promise<number>
  async ask(command: GraphCommand): Promise<unknown>
  async ask(command: GraphCommand): Promise<unknown> {
    const n = ++this.#counter
    const answer = this.#answer(n)
    this.#child?.send({ n, command })
    return await answer
  }

  async state(): Promise<GraphNodeState> {
    return await this.ask({ do: 'state' })
  }

  /** SIGKILL: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Closes the graph. @returns how long that took, and the exit code once nothing kept the process alive */
  async close(): Promise<{ took: number; code: number | null }> {
    const child = this.#child
    if (child === undefined) throw new Error('not started')
    const exit = once(child, 'exit') as Promise<[number | null]>
    const took = await this.ask({ do: 'close' })
    const [code] = await exit
    return { took, code }
  }

  #answer(n: number): Promise<unknown> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      if (child === undefined) return reject(new Error('not started'))
      const done = (): void => {
        child.off('message', hear)
        child.off('exit', gone)
      }
      const hear = (message: unknown): void => {
        const { n: of, result, error } = message as { n: number; result?: unknown; error?: string }
        if (of !== n) return
        done()
        if (error === undefined) resolve(result)
        else reject(new Error(error))
      }
      const gone = (code: number | null, signal: string | null): void => {
        done()
        reject(new Error(`graph node ended: ${code ?? signal}`))
      }
      child.on('message', hear)
      child.on('exit', gone)
    })
  }
}

export interface GraphNodeOptions {
  peers?: readonly GraphNode[]
  /** Roles of its certificate, which the relay signs; none leaves it a stranger. */
  roles?: ('seeder' | 'publisher')[]
  allowPrivate?: boolean
}

/** Graph nodes of one network, its owner first, in a temporary folder. */
export class GraphNetwork {
  readonly owner: GraphNode
  readonly #folder: string
  readonly #ownerSeed: string
  readonly #nodes: GraphNode[]

  private constructor(folder: string, ownerSeed: string, owner: GraphNode) {
    this.#folder = folder
    this.#ownerSeed = ownerSeed
    this.owner = owner
    this.#nodes = [owner]
  }

  static async start({ allowPrivate = true }: { allowPrivate?: boolean } = {}): Promise<GraphNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'eldernode-graph-'))
    const ownerSeed = seed()
    const owner = new GraphNode({ folder, seed: seed(), ownerSeed, owner: true, port: 0, peers: [], allowPrivate })
    const network = new GraphNetwork(folder, ownerSeed, owner)
    await owner.start()
    await network.admit(owner.id, ['seeder', 'publisher'])
    return network
  }

  get ownerId(): string {
    return identityOfSeed(this.#ownerSeed).id
  }

  async admit(member: string, roles: ('seeder' | 'publisher')[]): Promise<void> {
    const now = Date.now()
    const certificate = { member, roles, operator: 'test', issuedAt: now, expiresAt: now + 3_600_000 }
    await this.owner.ask({ do: 'certify', certificate })
  }

  async join({ peers = [this.owner], roles = ['seeder', 'publisher'], allowPrivate = true }: GraphNodeOptions = {}) {
    const folder = join(this.#folder, String(this.#nodes.length))
    await mkdir(folder)
    const node = new GraphNode({
      folder,
      seed: seed(),
      ownerSeed: this.#ownerSeed,
      owner: false,
      port: 0,
      peers: peers.map(({ url }) => url),
      allowPrivate,
    })
    this.#nodes.push(node)
    if (roles.length > 0) await this.admit(node.id, roles)
    await node.start()
    return node
  }

  /** Waits until every link of these nodes was compared and nothing is left to fetch. */
  static async inStep(...nodes: GraphNode[]): Promise<void> {
    const ready = async (): Promise<boolean> => {
      const states = await Promise.all(nodes.map((node) => node.state()))
      return states.every(({ stats: { links } }) => links.length > 0 && links.every(({ inSync }) => inSync))
    }
    await until(ready, { within: 30_000, what: 'the graph nodes are in step' })
  }

  /** Kills what still runs and removes the folder. */
  async stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()))
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function seed(): string {
  return randomBytes(32).toString('hex')
}
