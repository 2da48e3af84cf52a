import type { TestNode } from './test-node.ts'

/** One event of a stream. `id` is empty for those without a number. */
export interface StreamedEvent {
  id: string
  type: string
  data: Record<string, unknown>
}

/** Reads `/v1/events` as EventSource would. */
export class EventReader {
  readonly seen: StreamedEvent[] = []
  readonly #chunks: ReadableStreamDefaultReader<Uint8Array>
  readonly #abort: AbortController
  readonly #decoder = new TextDecoder()
  #text = ''
  #asked = 0
  #begun = false

  private constructor(chunks: ReadableStreamDefaultReader<Uint8Array>, abort: AbortController) {
    this.#chunks = chunks
    this.#abort = abort
  }

  /** Resolves once the stream has begun. */
  static async open(
    node: Pick<TestNode, 'ask'>,
    { headers = {}, query = '' }: { headers?: Record<string, string>; query?: string } = {},
  ): Promise<EventReader> {
    const abort = new AbortController()
    const response = await node.ask(`/v1/events${query}`, { headers, signal: abort.signal })
    if (response.status !== 200 || response.body === null) throw new Error(`/v1/events answered ${response.status}`)
    const reader = new EventReader(response.body.getReader(), abort)
    // The first thing sent; what happens from here on is heard.
    while (!reader.#begun) if (!(await reader.#read())) throw new Error('the stream ended')
    return reader
  }

  /** The next event that fits; those before it are in `seen`. @throws Error when the stream ends before */
  async next(fits: (event: StreamedEvent) => boolean): Promise<StreamedEvent> {
    for (;;) {
      while (this.#asked < this.seen.length) {
        const event = this.seen[this.#asked++]
        if (event !== undefined && fits(event)) return event
      }
      if (!(await this.#read())) throw new Error(`the stream ended; seen: ${JSON.stringify(this.seen)}`)
    }
  }

  async ended(): Promise<void> {
    while (await this.#read());
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#chunks.closed.catch(() => undefined)
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#chunks.read().catch(() => ({ done: true, value: undefined }))
    if (done || value === undefined) return false
    this.#text += this.#decoder.decode(value, { stream: true })
    const blocks = this.#text.split('\n\n')
    this.#text = blocks.pop() ?? ''
    if (blocks.length > 0) this.#begun = true
    for (const block of blocks) this.#take(block)
    return true
  }

  #take(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
    )
    const data = fields.get('data')
    if (data === undefined) return
    const parsed = JSON.parse(data) as { data?: Record<string, unknown> }
    this.seen.push({ id: fields.get('id') ?? '', type: fields.get('event') ?? '', data: parsed.data ?? {} })
  }
}
