import { AggregatorRegistry, Registry } from 'prom-client'
import type { Place } from './place.ts'

/** By this name a worker tells the metrics of its registry. */
export const figuresName = 'metrics'

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

/** The metrics of all workers that answer: sums, but for those of which a sum would mean nothing. */
export class ClusterFigures {
  readonly contentType = Registry.PROMETHEUS_CONTENT_TYPE
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  async metrics(): Promise<string> {
    const values = await this.#place.readAll(figuresName)
    return await AggregatorRegistry.aggregate(values.filter(isObject)).metrics()
  }
}
