import { expect, test } from 'vitest'
import { KeyExchange } from './key-exchange.ts'

test('both sides come to one secret, which differs from handshake to handshake', () => {
  const secrets = Array.from({ length: 10 }, () => {
    const [here, there] = [new KeyExchange(), new KeyExchange()]
    const keys = [here.generateKeys(), there.generateKeys()] as const
    const secret = Buffer.from(here.computeSecret(keys[1])).toString('hex')
    expect(Buffer.from(there.computeSecret(keys[0])).toString('hex')).toBe(secret)
    return secret
  })
  expect(new Set(secrets).size).toBe(10)
})

test('keys that would make the secret known are refused', () => {
  for (const last of [0, 1]) {
    expect(() => new KeyExchange().computeSecret(Buffer.concat([Buffer.alloc(95), Buffer.of(last)]))).toThrow('small')
  }
  expect(() => new KeyExchange().computeSecret(Buffer.alloc(96, 0xff))).toThrow('large')
})

test('a hundred handshakes do not stop everything else', () => {
  const key = new KeyExchange().generateKeys()
  const started = performance.now()
  for (let i = 0; i < 100; i++) {
    const exchange = new KeyExchange()
    exchange.generateKeys()
    exchange.computeSecret(key)
  }
  expect(performance.now() - started).toBeLessThan(1500)
})
