// A stock GUN client as anyone would write it: reads one value of one soul through the chain API and prints it.
const Gun = require('gun')

const [url, soul, key] = process.argv.slice(2)
const gun = Gun({ peers: [url], radisk: false, localStorage: false, multicast: false, axe: false })
gun
  .get(soul)
  .get(key)
  .on((value) => {
    process.stdout.write(`value:${value}\n`, () => process.exit(0))
  })
