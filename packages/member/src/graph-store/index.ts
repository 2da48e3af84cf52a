export { SqliteGraphStore } from './graph-store.ts'
