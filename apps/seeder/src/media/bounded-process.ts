import { spawn } from 'node:child_process'
import { pipeline } from 'node:stream/promises'
import { ToolFailedError, ToolMissingError } from './errors.ts'

/** What a child process may use. */
export interface ProcessBounds {
  /** Milliseconds of the clock; of the processor it may have as much. */
  ms: number
  /** Address space, in bytes. */
  memory: number
  /** Bytes on its standard output. */
  output: number
}

export interface BoundedCommand {
  program: string
  args: readonly string[]
  bounds: ProcessBounds
  /** What it reads from its standard input; nothing without it. */
  input?: Uint8Array | AsyncIterable<Uint8Array>
  /** What it finds in its environment besides the path of programs. */
  environment?: Record<string, string>
  signal?: AbortSignal
}

/**
 * Limits that the kernel keeps: address space, processor time, no files written, no core dumps. Where one cannot be set,
 * nothing is run: 125.
 */
const limited = 'ulimit -S -c 0 && ulimit -f 0 && ulimit -v "$1" && ulimit -t "$2" || exit 125; shift 2; exec "$@"'

/** The last of what it complained of. */
const complaintBytes = 2000

/**
 * Runs a program on bytes of strangers: bounded in time, memory and output, unable to write a file, with no setting of
 * this process in its environment. It is dead when this is over.
 * @returns its standard output
 * @throws ToolMissingError, ToolFailedError; the abort reason when aborted
 */
export async function runBounded({
  program,
  args,
  bounds,
  input,
  environment,
  signal,
}: BoundedCommand): Promise<Buffer> {
  signal?.throwIfAborted()
  const seconds = Math.ceil(bounds.ms / 1000)
  const limits = [String(Math.floor(bounds.memory / 1024)), String(seconds)]
  const child = spawn('/bin/sh', ['-c', limited, 'sh', ...limits, program, ...args], {
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '', LANG: 'C', MALLOC_ARENA_MAX: '1', NODE_COMPILE_CACHE: '', ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own, so that what it starts ends with it.
    detached: true,
  })
  let ended: Error | undefined
  const end = (why: Error) => {
    ended ??= why
    if (child.pid !== undefined) killGroup(child.pid)
  }
  const timer = setTimeout(() => end(new ToolFailedError(program, `not within ${seconds} s`)), bounds.ms)
  const abort = () => end(asError(signal?.reason))
  signal?.addEventListener('abort', abort, { once: true })
  const output: Buffer[] = []
  let size = 0
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > bounds.output) end(new ToolFailedError(program, `more than ${bounds.output} bytes of output`))
    else output.push(chunk)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-complaintBytes)
  })
  // A program that reads no more, or never began to, says so by its exit.
  child.stdin.on('error', () => undefined)
  if (input === undefined || input instanceof Uint8Array) child.stdin.end(input)
  else {
    pipeline(input, child.stdin).catch((cause: unknown) => {
      if (!isGone(cause)) end(new ToolFailedError(program, 'what it was given could not be read', { cause }))
    })
  }
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once('error', (error) => reject(new ToolMissingError(program, { cause: error })))
      child.once('close', (status, by) => resolve(status ?? by ?? 'a signal'))
    })
    if (ended !== undefined) throw ended
    if (code === 126 || code === 127) throw new ToolMissingError(program)
    if (code !== 0) throw new ToolFailedError(program, `it ended with ${code}: ${complaint.trim()}`)
    return Buffer.concat(output)
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', abort)
  }
}

/** Whether it was the reader that ended. */
function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
