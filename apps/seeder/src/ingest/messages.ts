/** What the main thread tells a hash worker. Messages of one job arrive in order; jobs may be interleaved. */
export type ToWorker =
  /** `pieceLength` asks for SHA-1 pieces, `describe` for SHA-256 and media type of each file. */
  | { kind: 'start'; job: number; pieceLength: number | undefined; describe: boolean }
  /** The next file is encrypted in place once it was hashed. */
  | { kind: 'seal'; job: number; key: Uint8Array }
  /** `last`: no more of a file that is encrypted. */
  | { kind: 'bytes'; job: number; memory: SharedArrayBuffer; length: number; last: boolean }
  /** The pieces will not be asked for. */
  | { kind: 'dropPieces'; job: number }
  /** The bytes since the last one were a file of this path. */
  | { kind: 'endFile'; job: number; path: string }
  | { kind: 'finish'; job: number }
  | { kind: 'drop'; job: number }

export interface JobResult {
  /** SHA-1 digests one after the other; empty when none were asked for. */
  pieces: Uint8Array
  files: { sha256: string; type: string }[]
}

/**
 * `read` answers each `bytes` message, of known jobs or not, in order: its memory is free again, and holds ciphertext if it
 * was `sealed`.
 */
export type FromWorker = { kind: 'read'; sealed: boolean } | { kind: 'result'; job: number; result: JobResult }
