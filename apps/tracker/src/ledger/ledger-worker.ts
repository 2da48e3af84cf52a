import { parentPort, workerData } from 'node:worker_threads'
import { faultOf } from './failure.ts'
import type { Call, Reply } from './sqlite-ledger.ts'
import { SqliteTables } from './sqlite-tables.ts'

// Every commit waits for the disk, and no announce may wait with it: the tables have a thread of their own.
if (parentPort === null) throw new Error('this module runs in a thread of its own')
const port = parentPort
const { path } = workerData as { path: string }

let now = 0
let tables: SqliteTables | undefined

const work = ({ method, args }: Call): unknown => {
  if (method === 'close') return tables?.close()
  // Opened by the first call, so that what is wrong with the file is told to who asked; the next call tries again.
  tables ??= new SqliteTables(path, () => now)
  tables.ensureThere()
  return (tables[method] as (...values: readonly unknown[]) => unknown).apply(tables, [...args])
}

port.on('message', (call: Call) => {
  now = call.at
  try {
    port.postMessage({ id: call.id, value: work(call) } satisfies Reply)
  } catch (error) {
    port.postMessage({ id: call.id, fault: faultOf(error) } satisfies Reply)
  }
  if (call.method === 'close') port.close()
})
