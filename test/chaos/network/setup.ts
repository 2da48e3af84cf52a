import { execFileSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Islands, mayPartition, Network, type Island, type Seeder } from '../../harness/index.ts'

const megabyte = 2 ** 20
const nodes = 5
const quickClock = fileURLToPath(new URL('../../harness/quick-clock.ts', import.meta.url))
const movedClock = fileURLToPath(new URL('../../harness/moved-clock.ts', import.meta.url))

/** One node of the storm, with the ways to hurt it. */
export interface Victim {
  seeder: Seeder
  /** Absent where network namespaces may not be made. */
  island: Island | undefined
  /** Its data folder is on a small disk of its own, where one may be mounted. */
  disk: string | undefined
  /** Says by how many milliseconds its clock is ahead from now on. */
  moveClock(ahead: number): Promise<void>
}

/**
 * Five nodes, each on a host of its own, the last on a small disk; without root on one host and one disk. Their time goes
 * by so many times as fast as ours.
 */
export class Coast {
  readonly network: Network
  readonly victims: readonly Victim[]
  readonly #islands: Islands | undefined
  readonly #disks: string[]
  readonly #factor: number
  readonly #began = Date.now()

  private constructor(
    network: Network,
    factor: number,
    { victims, islands, disks }: { victims: readonly Victim[]; islands: Islands | undefined; disks: string[] },
  ) {
    this.network = network
    this.victims = victims
    this.#factor = factor
    this.#islands = islands
    this.#disks = disks
  }

  static async start(settings: Readonly<Record<string, string | number | boolean>>, factor: number): Promise<Coast> {
    const islands = mayPartition() ? new Islands() : undefined
    const network = await Network.start({ seeders: 0, tracker: false, settings })
    const [victims, disks]: [Victim[], string[]] = [[], []]
    const coast = new Coast(network, factor, { victims, islands, disks })
    try {
      for (let n = 1; n <= nodes; n++) victims.push(await coast.#join(n))
      await network.acquainted()
      return coast
    } catch (error) {
      const output = network.output()
      await coast.close()
      throw new Error(`the network did not start\n${output}`, { cause: error })
    }
  }

  /** This machine's address for the nodes. */
  get address(): string {
    return this.#islands?.address ?? '127.0.0.1'
  }

  /** Milliseconds since 1970 as the nodes have it. */
  readonly now = (): number => Math.floor(this.#began + (Date.now() - this.#began) * this.#factor)

  async close(): Promise<void> {
    await Promise.all(this.network.seeders.map((seeder) => seeder.kill()))
    for (const disk of this.#disks) execFileSync('umount', [disk])
    await this.network.close()
    this.#islands?.close()
  }

  async #join(n: number): Promise<Victim> {
    const { network } = this
    const island = this.#islands?.add()
    const clock = join(network.folder, `clock-${n}`)
    await writeFile(clock, '0')
    const disk = n === nodes ? await this.#mount(join(network.folder, 'disk')) : undefined
    const quick = `QUICK_CLOCK=${this.#began}x${this.#factor}`
    const env = ['env', `NODE_OPTIONS=--import=${quickClock} --import=${movedClock}`, `TEST_CLOCK=${clock}`, quick]
    const seeder = await network.joinAt(
      join(disk ?? network.folder, `node-${n}`),
      { ...(island && { 'http.host': island.address }), 'node.zone': `zone-${n}` },
      { within: [...(island?.within ?? []), ...env] },
    )
    return {
      seeder,
      island,
      disk,
      moveClock: async (ahead) => {
        await writeFile(clock, String(ahead))
        process.kill(seeder.pid, 'SIGUSR2')
      },
    }
  }

  /** @returns `undefined` where no disk may be mounted */
  async #mount(folder: string): Promise<string | undefined> {
    await mkdir(folder)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${96 * megabyte}`, 'tmpfs', folder], { stdio: 'ignore' })
    } catch {
      return undefined
    }
    this.#disks.push(folder)
    return folder
  }
}
