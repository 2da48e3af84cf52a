import type { Passage } from '../port.ts'
import type { TurnOf } from './turn.ts'

/** A turn for those who can wait by themselves. */
export function passageOf(turnOf: TurnOf): Passage {
  let go: (() => void) | undefined
  const turn = turnOf(() => {
    go?.()
    go = undefined
  })
  return {
    get most() {
      return turn.most
    },
    pass: (bytes) =>
      turn.most === Infinity || turn.take(bytes) ? undefined : new Promise((resolve) => (go = resolve)),
    end: () => {
      turn.end()
      go?.()
      go = undefined
    },
  }
}
