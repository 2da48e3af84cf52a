declare module 'create-torrent' {
  type Input = Uint8Array & { name?: string }
  interface Options {
    name?: string
    pieceLength?: number
    announceList?: string[][]
    filterJunkFiles?: boolean
  }
  export default function createTorrent(
    input: Input | Input[],
    options: Options,
    done: (error: Error | null, torrent: Uint8Array) => void,
  ): void
}
