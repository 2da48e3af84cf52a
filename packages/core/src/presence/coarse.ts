const mostStep = 16 * 2 ** 20

/**
 * Bytes as anybody may know them, rounded up. Threat: who asks before and after something came learns its exact size,
 * which names a private item to who has it too. @param capacity a small node is told of in smaller steps
 */
export function coarseBytes(bytes: number, capacity = Infinity): number {
  const step = stepOf(capacity)
  return Math.ceil(bytes / step) * step
}

/** Room, rounded down. */
export function coarseRoom(bytes: number, capacity = Infinity): number {
  const step = stepOf(capacity)
  return Math.floor(bytes / step) * step
}

function stepOf(capacity: number): number {
  return Math.min(mostStep, 2 ** Math.floor(Math.log2(Math.max(1, capacity / 1024))))
}
