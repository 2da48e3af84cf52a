import { candidate, itemHalves, score, toBase64url, wantedHolders, type Candidate } from '@eldernode/core'

/**
 * How many scores placement computes per second, bare and as part of the decision for one item among 100 members. The
 * reference is the same finaliser in BigInt, which the halves replace.
 */
const members: Candidate[] = Array.from({ length: 100 }, (_, n) => {
  const id = toBase64url(Uint8Array.from({ length: 32 }, (_unused, i) => (n * 31 + i * 17) & 255))
  const standing = { zone: `z${n % 5}`, operator: `o${n % 20}`, capacity: 2 ** (38 + (n % 5)), free: 2 ** 38 }
  return candidate(id, { ...standing, state: 'active' })
})
const items = Array.from({ length: 5000 }, (_, n) =>
  Math.imul(n + 1, 0x9e3779b1)
    .toString(16)
    .slice(-6)
    .padEnd(40, 'a1'),
)
const known = { holds: () => false, refused: () => false, vain: () => 0 }
const mask = (1n << 64n) - 1n

function bigScore(item: bigint, node: bigint, weight: number): number {
  let z = item ^ node
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & mask
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & mask
  z ^= z >> 31n
  return weight / -Math.log((Number(z >> 12n) + 0.5) / 2 ** 52)
}

/** Runs work of `scores` scores until a second is over. @returns scores per second */
function rate(scores: number, work: () => void): number {
  work()
  const started = performance.now()
  let rounds = 0
  while (performance.now() - started < 1000) {
    work()
    rounds++
  }
  return Math.round((rounds * scores * 1000) / (performance.now() - started))
}

let sum = 0
const halves = rate(items.length * members.length, () => {
  for (const infoHash of items) {
    const item = itemHalves(infoHash)
    for (const member of members) sum += score(item, member)
  }
})
const nodes = members.map(({ halves: { high, low } }) => (BigInt(high) << 32n) | BigInt(low))
const big = rate(500 * members.length, () => {
  for (const infoHash of items.slice(0, 500)) {
    const item = BigInt(`0x${infoHash.slice(0, 16)}`)
    for (const [i, { weight }] of members.entries()) sum += bigScore(item, nodes[i]!, weight)
  }
})
const decided = rate(500 * members.length, () => {
  for (const infoHash of items.slice(0, 500)) {
    sum += wantedHolders({ infoHash, size: 1, publishers: [members[0]!.id], target: 3 }, members, known).length
  }
})
if (!(sum > 0)) throw new Error('nothing was computed')

process.stdout.write(`| placement | scores per second |\n|---|---|\n`)
process.stdout.write(
  `| 32-bit halves | ${halves} |\n| whole decisions, 100 members | ${decided} |\n| BigInt | ${big} |\n`,
)
const figures = { scores_per_s: halves, decided_scores_per_s: decided, ratio: Math.round((halves / big) * 10) / 10 }
process.stdout.write(`${JSON.stringify({ bench: 'placement', figures })}\n`)
