import sea from 'gun/sea.js'

export interface SeaPair {
  pub: string
  priv: string
  epub: string
  epriv: string
}

/** As far as it is used here; the package's own types describe a module that Node does not see. */
const stock = sea as unknown as {
  pair(): Promise<SeaPair>
  sign(data: unknown, pair: SeaPair): Promise<string>
}

/** A key pair of GUN's own SEA. */
export const newSeaPair = (): Promise<SeaPair> => stock.pair()

/** What GUN's own SEA makes of data: `SEA{"m":...,"s":...}`. */
export const seaSigned = (data: unknown, pair: SeaPair): Promise<string> => stock.sign(data, pair)
