import type { ServerResponse } from 'node:http'
import type { Library } from '../../library/index.ts'
import type { Passage } from '../../swarm/index.ts'
import { BusyError, MediaPausedError } from '../errors.ts'
import { type ByteSource, ClientGoneError, type FileSender, type Pace, type Part } from './file-sender.ts'

export interface AnswersOptions {
  sender: FileSender
  library: Pick<Library, 'isPaused' | 'condition' | 'onCondition'>
  uploadPassage(infoHash: string): Passage
  failed(error: unknown): void
  /**
   * Files sent at once: each holds one open, and there must be some left for the catalog, the swarm and the sockets.
   * Web seeds, which limits of upload may keep for hours, leave the rest to reads over the API.
   */
  most?: number
  mostWebSeeds?: number
}

export interface Sent {
  infoHash: string
  parts: readonly Part[]
  /** What an answer of several parts ends with. */
  tail?: string | undefined
  /** A web seed is a part of the swarm: it keeps to the upload limits, and a pause ends it. Reads over the API do not. */
  isWebSeed: boolean
}

/** Opens what is sent. `signal` aborts when the client leaves. */
export type Open = (parts: readonly Part[], signal: AbortSignal) => Promise<ByteSource>

/** The answers with bytes of files that are under way. */
export class Answers {
  readonly #options: Required<AnswersOptions>
  readonly #open = new Map<string, Set<ServerResponse>>()
  #all = 0
  #webSeeds = 0

  constructor(options: AnswersOptions) {
    this.#options = { most: 1024, mostWebSeeds: 512, ...options }
    // Bytes of which some are known to be wrong, or are being written anew, are no whole file to anybody.
    options.library.onCondition((infoHash) => {
      if (options.library.condition(infoHash) === 'held') return
      for (const response of this.#open.get(infoHash) ?? []) response.destroy()
    })
  }

  /**
   * Opens the file, has `begin` say the head of the answer, and sends it. Whatever happens to it then ends the
   * connection. @throws BusyError; what `open` throws
   */
  async send(response: ServerResponse, sent: Sent, open: Open, begin: (source: ByteSource) => void): Promise<void> {
    const { sender, failed } = this.#options
    const leave = this.#enter(sent, response)
    const left = new AbortController()
    // An answer that was sent whole closes too.
    const gone = () => response.writableEnded || left.abort(new ClientGoneError())
    response.once('close', gone)
    try {
      const file = await unlessGone(open(sent.parts, left.signal), left.signal)
      // Nobody is there to be told why.
      if (file === undefined) return
      try {
        begin(file)
        const pace = sent.isWebSeed ? this.#pace(sent.infoHash, response) : undefined
        await sender.send(file, response, sent.parts, { pace, tail: sent.tail })
      } catch (error) {
        response.destroy()
        if (!(error instanceof ClientGoneError || error instanceof MediaPausedError)) failed(error)
      } finally {
        await file.close()
      }
    } finally {
      response.off('close', gone)
      leave()
    }
  }

  #enter({ infoHash, isWebSeed }: Sent, response: ServerResponse): () => void {
    const { most, mostWebSeeds } = this.#options
    if (this.#all >= most || (isWebSeed && this.#webSeeds >= mostWebSeeds)) throw new BusyError()
    const web = isWebSeed ? 1 : 0
    const here = this.#open.get(infoHash) ?? new Set()
    this.#open.set(infoHash, here.add(response))
    this.#all++
    this.#webSeeds += web
    return () => {
      this.#all--
      this.#webSeeds -= web
      if (here.delete(response) && here.size === 0) this.#open.delete(infoHash)
    }
  }

  #pace(infoHash: string, response: ServerResponse): Pace {
    const passage = this.#options.uploadPassage(infoHash)
    // One that has closed already says so no more.
    if (response.closed) passage.end()
    else response.once('close', () => passage.end())
    return {
      get most() {
        return passage.most
      },
      pass: (bytes) => {
        if (this.#options.library.isPaused(infoHash)) throw new MediaPausedError(infoHash)
        return passage.pass(bytes)
      },
    }
  }
}

/** @returns undefined when it failed because nobody waits for it any more */
async function unlessGone(opening: Promise<ByteSource>, left: AbortSignal): Promise<ByteSource | undefined> {
  try {
    return await opening
  } catch (error) {
    if (left.aborted) return undefined
    throw error
  }
}
