import { ImportRefusedError } from './errors.ts'

/** Bytes of one item. */
export interface SizeLimit {
  /** What this node takes of anybody. */
  maxBytes: number
  /** What whoever asked for it takes. */
  asked?: number | undefined
}

/** @throws ImportRefusedError */
export function assertSize(size: number, { maxBytes = Infinity, asked = Infinity }: Partial<SizeLimit>): void {
  if (size > maxBytes)
    throw new ImportRefusedError(
      `it has ${size} bytes, and the limit of this node (http.maxUploadBytes) is ${maxBytes}`,
    )
  if (size > asked)
    throw new ImportRefusedError(`it has ${size} bytes, and no more than ${asked} of one item were asked for`)
}
