import { describe, expect, it } from 'vitest'
import { rangesOf } from '../config.ts'
import { clientAddress, plainAddress } from './client-address.ts'

const nobody = rangesOf([])
const proxies = rangesOf(['10.0.0.0/8', '::1', '127.0.0.1'])

describe('clientAddress', () => {
  it('believes nobody by default', () => {
    expect(clientAddress('127.0.0.1', '9.9.9.9', nobody)).toBe('127.0.0.1')
  })

  it('believes trusted proxies from the right, up to the first address they did not write', () => {
    expect(clientAddress('127.0.0.1', '9.9.9.9', proxies)).toBe('9.9.9.9')
    expect(clientAddress('::1', '1.1.1.1, 9.9.9.9 ,10.2.3.4', proxies)).toBe('9.9.9.9')
    expect(clientAddress('8.8.8.8', '9.9.9.9', proxies)).toBe('8.8.8.8')
    expect(clientAddress('10.0.0.1', undefined, proxies)).toBe('10.0.0.1')
  })

  it('takes addresses with a port', () => {
    for (const [hop, address] of [
      ['203.0.113.7:4444', '203.0.113.7'],
      ['[2001:db8::1]:4444', '2001:db8::1'],
      ['[2001:db8::1]', '2001:db8::1'],
      ['9.9.9.9, [::1]:80', '9.9.9.9'],
    ] as const)
      expect(clientAddress('127.0.0.1', hop, proxies)).toBe(address)
  })

  it('never reads what the client itself put on the left', () => {
    expect(clientAddress('127.0.0.1', 'abc, 9.9.9.9', proxies)).toBe('9.9.9.9')
  })

  it.each(['abc', '999.1.1.1', '', '1.2.3.4:', '1.2.3.4:123456', '[1::2', '[]:80', '1::2]:80', 'abc:80', ','])(
    'refuses %j from a trusted proxy',
    (forwarded) => {
      expect(() => clientAddress('127.0.0.1', forwarded, proxies)).toThrow(/no address/)
    },
  )
})

describe('plainAddress', () => {
  it('undresses IPv4 and drops zones', () => {
    expect(['::ffff:1.2.3.4', 'fe80::1%eth0', '1.2.3.4', '::FFFF:9.9.9.9'].map(plainAddress)).toEqual([
      '1.2.3.4',
      'fe80::1',
      '1.2.3.4',
      '9.9.9.9',
    ])
    expect(plainAddress('::ffff:999.1.1.1')).toBeUndefined()
  })
})
