import { compatStoreContract } from '../../testing/compat-store.ts'
import { MemoryCompatStore } from './memory-store.ts'

compatStoreContract('MemoryCompatStore', () => new MemoryCompatStore())
