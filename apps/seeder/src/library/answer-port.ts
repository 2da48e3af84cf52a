/** An answer that was given, for when the same request comes again. */
export interface KeptAnswer {
  /** Of the caller and its key. */
  id: Uint8Array
  /** What tells that request from others. */
  request: Uint8Array
  box: Uint8Array
  /** Milliseconds since 1970. */
  expiresAt: number
}

export interface AnswerStore {
  get(id: Uint8Array, now: number): KeptAnswer | undefined
  /** Durable when it resolves. Expired answers go, and the oldest once there are too many. */
  keep(answer: KeptAnswer, now: number): Promise<void>
}
