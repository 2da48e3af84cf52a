import { execArgv, execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { runBounded } from './bounded-process.ts'
import { ToolFailedError } from './errors.ts'
import type { Input } from './input.ts'

/** A picture made small, and the size of the one it was made of, as it is shown. */
export interface SmallPicture {
  width: number
  height: number
  format: string
  /** WebP. */
  bytes: Buffer
}

/** What is wanted of the result: its longest edge in pixels, and its size in bytes at most. */
export interface Wanted {
  edge: number
  bytes: number
}

const bounds = { ms: 20_000, memory: 2 ** 31, output: 2 ** 20 }
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? './picture-program.ts' : './picture-program.js', import.meta.url),
)
const headSchema = z.object({ width: z.int().positive(), height: z.int().positive(), format: z.string().max(32) })
const newline = 10

/**
 * @param source where a picture is, or its bytes
 * @throws ToolFailedError when it is no picture, broken, or larger than a picture may be
 */
export async function shrink(source: Input | Uint8Array, wanted: Wanted, signal?: AbortSignal): Promise<SmallPicture> {
  const isPath = typeof source === 'string'
  const output = await runBounded({
    program: execPath,
    args: [...conditions(), '--max-old-space-size=64', program, isPath ? source : '-', JSON.stringify(wanted)],
    bounds,
    ...(!isPath && { input: source instanceof Uint8Array ? source : source.bytes() }),
    ...(signal && { signal }),
  })
  const end = output.indexOf(newline)
  const head = headSchema.safeParse(jsonOf(output.subarray(0, end).toString()))
  if (end < 0 || !head.success) throw new ToolFailedError('sharp', 'its answer cannot be read')
  return { ...head.data, bytes: output.subarray(end + 1) }
}

/** The export conditions of this process, so that the program finds its modules where this one did. */
function conditions(): string[] {
  return execArgv.filter((arg) => arg.startsWith('--conditions='))
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
