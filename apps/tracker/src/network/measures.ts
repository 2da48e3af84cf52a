import { Gauge, type Registry } from 'prom-client'
import type { Standing } from './port.ts'

/** Figures of the network; each worker of a tracker has the same. */
export const exposeNetwork = (registry: Registry, standing: () => Standing): void => {
  const expose = (name: string, help: string, read: (of: Standing) => number): void => {
    const metric: Gauge = new Gauge({
      name: `eldernode_tracker_network_${name}`,
      help,
      registers: [registry],
      aggregator: 'max',
      collect: () => metric.set(read(standing())),
    })
  }
  expose('links', 'Links to nodes of the network that proved their key.', ({ links }) => links)
  expose('member', 'Whether the owner of the network admits this tracker.', ({ member }) => Number(member))
  expose('ready', 'Whether the list of torrents is all that the network lists.', ({ ready }) => Number(ready))
  expose('torrents', 'Torrents that the network lists.', ({ live }) => live)
  expose('denied', 'Torrents that the owner of the network denied.', ({ denied }) => denied)
}
