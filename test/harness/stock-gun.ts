import stock from 'gun'

/** As far as it is used here; the package's own types describe a module that Node does not see. */
interface Chain {
  get(key: string): Chain
  on(listener: (value: unknown) => void): void
}

// A stock GUN client as anyone would write it: reads one value of one soul through the chain API and prints it.
const Gun = stock as unknown as (options: object) => Chain
const [url = '', soul = '', key = ''] = process.argv.slice(2)
const gun = Gun({ peers: [url], radisk: false, localStorage: false, multicast: false, axe: false })
gun
  .get(soul)
  .get(key)
  .on((value) => {
    process.stdout.write(`value:${String(value)}\n`, () => process.exit(0))
  })
