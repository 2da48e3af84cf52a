import type { Torrent } from 'webtorrent'
import type { Picks } from '../port.ts'

/** Pieces at the beginning of what is wanted that are taken from a slow peer when a fast one is there. */
const urgent = 2

/** What is picked of a torrent that was added with nothing selected. */
export function picksOf(torrent: Torrent): Picks {
  const select = (from: number, to: number, priority: number): (() => void) => {
    if (torrent.destroyed) return () => {}
    torrent._select(from, to, priority, undefined, true)
    let selected = true
    return () => {
      if (selected && !torrent.destroyed) torrent._deselect(from, to, true)
      selected = false
    }
  }
  return {
    has: (piece) => torrent.pieces[piece] === null,
    want: (first, last) => {
      const end = select(first, last, 1)
      if (!torrent.destroyed) torrent.critical(first, Math.min(first + urgent - 1, last))
      return end
    },
    all: () => select(0, torrent.pieces.length - 1, 0),
  }
}
