import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { NoRoomError, StorageFullError } from '../errors.ts'
import { Room } from './room.ts'

const folder = tmpdir()
const mebibyte = 2 ** 20

test('the capacity that was set bounds what is free', async () => {
  const room = new Room({ folder, capacityBytes: 10 * mebibyte, used: () => 4 * mebibyte })
  expect(await room.measure()).toEqual({ bytes: 10 * mebibyte, used: 4 * mebibyte, free: 6 * mebibyte })
})

test('without a set capacity nine tenths of the disk count, less what others took', async () => {
  const room = new Room({ folder, capacityBytes: 0, used: () => 0 })
  const disk = await statfs(folder)
  const { bytes, free } = await room.measure()
  expect(bytes).toBe(Math.floor(disk.blocks * disk.bsize * 0.9))
  expect(free).toBeLessThan(disk.bavail * disk.bsize)
})

test('room is set aside for running copies and given back once', async () => {
  const room = new Room({ folder, capacityBytes: 10 * mebibyte, used: () => 0 })
  const giveBack = await room.reserve('a', 6 * mebibyte)
  await expect(room.reserve('b', 5 * mebibyte)).rejects.toThrow(NoRoomError)
  giveBack()
  giveBack()
  expect((await room.measure()).free).toBe(10 * mebibyte)
  await room.reserve('b', 10 * mebibyte)
  expect((await room.measure()).free).toBe(0)
})

test('a copy under way does not take its own room from what others are told', async () => {
  const room = new Room({ folder, capacityBytes: 10 * mebibyte, used: () => mebibyte })
  const giveBack = await room.reserve('a', 6 * mebibyte)
  expect([(await room.measure()).free, (await room.offer()).free]).toEqual([3 * mebibyte, 9 * mebibyte])
  giveBack()
  expect((await room.offer()).free).toBe(9 * mebibyte)
})

test('more stored than the capacity leaves nothing free', async () => {
  const room = new Room({ folder, capacityBytes: mebibyte, used: () => 2 * mebibyte })
  expect((await room.measure()).free).toBe(0)
})

test('a disk that is away has no room, and weighs what it did', async () => {
  let here = true
  const room = new Room({ folder, capacityBytes: 0, used: () => 5, isHere: () => here })
  const { bytes } = await room.measure()
  here = false
  expect(await room.measure()).toEqual({ bytes, used: 5, free: 0 })
  await expect(room.reserve('a', 1)).rejects.toThrow(NoRoomError)
})

test('uploads keep to the capacity together, also with copies and those that can be resumed', async () => {
  let coming = 0
  const room = new Room({ folder, capacityBytes: 100, used: () => 20, coming: () => coming })
  const [one, other] = [room.upload(), room.upload()]
  one.take(40)
  expect(() => other.take(41)).toThrow(StorageFullError)
  await expect(room.reserve('a', 41)).rejects.toThrow(NoRoomError)
  other.take(30)
  // Others may not think that this room is free; that of copies under way is theirs to count.
  expect((await room.offer()).free).toBe(10)
  coming = 10
  expect(() => other.take(1)).toThrow(/100 bytes of items, 0 are free, .* 1 more: .*storage.capacityBytes/)
  one.end()
  one.end()
  other.end()
  const giveBack = await room.reserve('a', 70)
  expect(() => one.take(1)).toThrow(StorageFullError)
  giveBack()
  one.take(70)
})

test('before the disk is measured, uploads are left to it', async () => {
  const room = new Room({ folder, capacityBytes: 0, used: () => 0 })
  room.upload().take(1e15)
  await room.measure()
  expect(() => room.upload().take(1)).toThrow(StorageFullError)
})
