import { nodeIdSchema } from '../identity/index.ts'
import type { NodeId } from '../identity/index.ts'
import type { AuditResult } from './schema.ts'
import { tagPairs } from './tags.ts'

const bucketPattern = /^[0-9a-f]{2}$/

/** Where an auditor's result on one holder's bucket (two hex digits) lies among its results. */
export function auditKey(holder: NodeId, bucket: string): string {
  return `${holder}.${bucket}`
}

/** @returns `undefined` for any other text */
export function readAuditKey(key: string): { holder: NodeId; bucket: string; number: number } | undefined {
  const [holder = '', bucket = '', ...rest] = key.split('.', 3)
  if (rest.length > 0 || !bucketPattern.test(bucket) || !nodeIdSchema.safeParse(holder).success) return undefined
  return { holder, bucket, number: Number.parseInt(bucket, 16) }
}

/** Whether a result speaks of items of the bucket that its key names, and of no others. */
export function isAbout({ proven, failed }: AuditResult, key: string): boolean {
  const place = readAuditKey(key)
  const pairs = tagPairs(proven)
  if (place === undefined || pairs === undefined) return false
  // In ascending order the first and the last speak for all between them.
  const ends = pairs.length === 0 ? [] : [pairs[0]!, pairs[pairs.length - 2]!]
  return ends.every((high) => high >>> 24 === place.number) && failed.every(({ tag }) => tag.startsWith(place.bucket))
}
