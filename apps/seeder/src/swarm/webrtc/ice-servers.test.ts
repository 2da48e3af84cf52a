import { InvalidInputError } from '@eldernode/core'
import { expect, test } from 'vitest'
import { iceServer } from './ice-servers.ts'

test.each([
  ['stun:stun.example.org', { hostname: 'stun.example.org', port: 3478 }],
  ['stun:203.0.113.5:19302', { hostname: '203.0.113.5', port: 19_302 }],
  ['STUN:[2001:db8::1]:3479', { hostname: '2001:db8::1', port: 3479 }],
  [
    'turn:user:pa%40ss@turn.example.org:3478?transport=udp',
    { hostname: 'turn.example.org', port: 3478, username: 'user', password: 'pa@ss', relayType: 'TurnUdp' },
  ],
  ['turn:u:100%@h', { hostname: 'h', port: 3478, username: 'u', password: '100%', relayType: 'TurnUdp' }],
])('reads %s', (text, server) => {
  expect(iceServer(text)).toEqual(server)
})

test.each([
  '',
  'stun:',
  'stun.example.org:3478',
  'stun:host:0',
  'stun:host:65536',
  'stun:host:port',
  'stun:user:secret@host',
  'turn:host:3478',
  'turn:user@host',
  'turn:user:secret@host?transport=tcp',
  'turns:user:secret@host',
  'http://host/',
  'stun:ho st',
])('refuses %s, and keeps passwords to itself', (text) => {
  expect(() => iceServer(text)).toThrow(InvalidInputError)
  expect(() => iceServer(text)).not.toThrow('secret')
})
