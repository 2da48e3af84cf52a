import { graphStoreContract } from '../testing/graph-store.ts'
import { MemoryGraphStore } from './memory-store.ts'

graphStoreContract('MemoryGraphStore', () => new MemoryGraphStore())
