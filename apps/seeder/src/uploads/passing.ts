/** What may be otherwise at the next try: room, disks, quotas, other work of this node. */
const passing: ReadonlySet<string> = new Set([
  'clock_behind',
  'daily_quota_exceeded',
  'disk_full',
  'disk_unwritable',
  'graph_closed',
  'hashing_failed',
  'item_quota_exceeded',
  'not_member',
  'staging_mismatch',
  'storage_full',
  'storage_quota_exceeded',
  'storage_suspended',
  'swarm_closed',
  'unknown_item',
  'upload_bytes_lost',
  // Of the system and of SQLite, where nobody gave them another name.
  'EACCES',
  'EAGAIN',
  'EBUSY',
  'EDQUOT',
  'EINTR',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOENT',
  'ENOMEM',
  'ENOSPC',
  'EPERM',
  'EROFS',
  'ERR_SQLITE_ERROR',
  'ESTALE',
  'ETIMEDOUT',
])

/** Whether publishing the same bytes again may succeed. Everything that is not known to pass stays as it is. */
export function passes(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && passing.has(error.code)
}
