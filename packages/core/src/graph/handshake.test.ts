import { beforeAll, expect, test } from 'vitest'
import { WebIdentity, WebVerifier } from '../identity/index.ts'
import type { Frame } from './frames.ts'
import { frameSchema } from './frames.ts'
import { Handshake } from './handshake.ts'

type Step = Extract<Frame, { en: 'hello' | 'proof' }>

const network = 'abcdefghijklmnop'
let a: WebIdentity
let b: WebIdentity

beforeAll(async () => {
  ;[a, b] = await Promise.all([WebIdentity.generate(), WebIdentity.generate()])
})

function side(identity: WebIdentity, dialled: boolean, net = network) {
  const sent: Step[] = []
  const handshake = new Handshake({
    network: net,
    identity,
    verifier: new WebVerifier(),
    dialled,
    send: (frame) => sent.push(frameSchema.parse(JSON.parse(JSON.stringify(frame))) as Step),
  })
  if (dialled) handshake.begin()
  return { handshake, sent, take: (frame: Step | undefined) => handshake.take(frame!) }
}

test('both sides learn and prove who the other is', async () => {
  const [dialler, acceptor] = [side(a, true), side(b, false)]
  expect(acceptor.sent).toEqual([])
  expect(await acceptor.take(dialler.sent[0])).toBeUndefined()
  expect(await dialler.take(acceptor.sent[0])).toEqual({ done: b.id })
  expect(await acceptor.take(dialler.sent[1])).toEqual({ done: a.id })
})

test('a proof for another link, another side or another key is none', async () => {
  const [dialler, acceptor, other] = [side(a, true), side(b, false), side(b, false)]
  await acceptor.take(dialler.sent[0])
  await other.take(dialler.sent[0])
  await dialler.take(acceptor.sent[0])
  // The proof of one link does not open another.
  expect(await other.take(dialler.sent[1])).toEqual({ failed: 'proof' })

  const [first, second] = [side(a, true), side(b, false)]
  await second.take(first.sent[0])
  const answer = second.sent[0] as Extract<Step, { en: 'hello' }>
  // The acceptor's own proof, thrown back, proves nothing.
  expect(await second.take({ en: 'proof', proof: answer.proof! })).toEqual({ failed: 'proof' })
  // Someone who claims another's id with their own key.
  expect(await first.take({ ...answer, id: (await WebIdentity.generate()).id })).toEqual({ failed: 'proof' })
})

test('another network, oneself, a missing proof and a wrong order end it', async () => {
  const foreign = side(a, true, 'z'.repeat(16))
  expect(await side(b, false).take(foreign.sent[0])).toEqual({ failed: 'network' })
  expect(await side(a, false).take(side(a, true).sent[0])).toEqual({ failed: 'self' })
  expect(await side(a, true).take(side(b, true).sent[0])).toEqual({ failed: 'proof' })
  const proof = 'A'.repeat(86)
  expect(await side(a, true).take({ en: 'proof', proof })).toEqual({ failed: 'order' })
  expect(await side(b, false).take({ en: 'proof', proof })).toEqual({ failed: 'order' })
  const twice = side(b, false)
  const hello = side(a, true).sent[0]
  await twice.take(hello)
  expect(await twice.take(hello)).toEqual({ failed: 'order' })
})
