import { describe, expect, it } from 'vitest'
import { httpPort, parseOptions, swarmPort, type StartOptions } from './options.ts'

describe('parseOptions', () => {
  it('has defaults, and takes each option in both spellings', () => {
    expect(parseOptions([])).toEqual({ nodes: 1, data: './data', port: 8765, trackerPort: 8000 })
    expect(parseOptions(['--nodes=3', '--data', '/d', '--port', '9000', '--tracker-port=1'])).toEqual({
      nodes: 3,
      data: '/d',
      port: 9000,
      trackerPort: 1,
    })
    expect(parseOptions(['--nodes=x', '--help'])).toBe('help')
  })

  it('gives every node ports of its own', () => {
    const options = parseOptions(['--nodes', '64', '--port', '64472']) as StartOptions
    const ports = Array.from({ length: 64 }, (_, i) => [httpPort(options, i + 1), swarmPort(options, i + 1)]).flat()
    expect(new Set(ports).size).toBe(128)
    expect(Math.max(...ports)).toBeLessThan(65_536)
  })

  it.each(['--nodes=0', '--nodes=65', '--nodes=1.5', '--port=0', '--port=64600', '--port=x', '--tracker-port=65536'])(
    'refuses %s by name',
    (flag) => {
      expect(() => parseOptions([flag])).toThrow(flag.split('=')[0])
    },
  )

  it('refuses what it does not know', () => {
    expect(() => parseOptions(['--node=3'])).toThrow(/--node/)
    expect(() => parseOptions(['three'])).toThrow(/three/)
  })
})
