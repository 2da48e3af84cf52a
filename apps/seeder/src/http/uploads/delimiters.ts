/** Counts the parts of a form (RFC 2046, section 5.1.1) by the lines between them, whatever a parser makes of a part. */
export class Delimiters {
  readonly #delimiter: Buffer
  /** The end of what was seen, for a delimiter that chunks cut in two. A form may begin with one. */
  #tail: Buffer = Buffer.from('\r\n')
  #seen = 0

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1')
  }

  /** For the boundary that a Content-Type names. */
  static of(contentType: string | undefined): Delimiters | undefined {
    const [, quoted, plain] = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType ?? '') ?? []
    const boundary = quoted ?? plain
    return boundary === undefined ? undefined : new Delimiters(boundary)
  }

  push(chunk: Buffer): void {
    const { length } = this.#delimiter
    const seam = Buffer.concat([this.#tail, chunk.subarray(0, length - 1)])
    this.#count(seam)
    this.#count(chunk)
    this.#tail = Buffer.from(Buffer.concat([this.#tail, chunk.subarray(-(length - 1))]).subarray(-(length - 1)))
  }

  /** Parts of a form that has ended: the last delimiter closes it. */
  get parts(): number {
    return this.#seen - 1
  }

  #count(bytes: Buffer): void {
    for (let at = bytes.indexOf(this.#delimiter); at !== -1; at = bytes.indexOf(this.#delimiter, at + 1)) this.#seen++
  }
}
