import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Files that take half a minute or more, about the longest first: one that began last would be waited for by itself. */
export const long = [
  'test/chaos/kill.test.ts',
  'test/simulation/simulation-0.test.ts',
  'test/simulation/simulation-1.test.ts',
  'test/interop/library.test.ts',
  'test/chaos/network.test.ts',
  'test/e2e/mending.test.ts',
  'test/interop/imports.test.ts',
  'test/interop/browser.test.ts',
  'test/e2e/replication.test.ts',
  'test/e2e/disk-full.test.ts',
  'test/chaos/fuzz.test.ts',
  'test/interop/clients.test.ts',
  'test/e2e/tracker-outage.test.ts',
  'test/chaos/connections.test.ts',
  'test/chaos/tracker-crowd.test.ts',
  'apps/seeder/src/swarm/limits.test.ts',
  'apps/seeder/src/library/listing.test.ts',
  'apps/seeder/src/swarm/awake/sleeping.test.ts',
  'apps/seeder/src/main.test.ts',
]

const rank = ({ moduleId }: TestSpecification): number => {
  const place = long.findIndex((path) => moduleId.endsWith(`/${path}`))
  return place === -1 ? long.length : place
}

/** The order of files where nothing is known of an earlier run, as on a fresh machine: by size, but the long ones first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted(
      (a, b) => a.project.config.sequence.groupOrder - b.project.config.sequence.groupOrder || rank(a) - rank(b),
    )
  }
}
