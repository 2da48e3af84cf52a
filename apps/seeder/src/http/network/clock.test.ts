import { expect, test, vi } from 'vitest'
import { startTestNode } from '../testing/test-node.ts'

vi.setConfig({ testTimeout: 60_000 })

test('a node whose clock was set back is not ready and says why', async () => {
  const realNow = Date.now
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => realNow() + 3_600_000)
  const node = await startTestNode()
  try {
    const before = await node.ask('/ready')
    expect([before.status, await (await node.ask('/metrics')).text()]).toEqual([
      200,
      expect.stringMatching(/^eldernode_clock_behind 0$/m),
    ])
    expect((await node.ask('/v1/media?name=a', { method: 'PUT', body: 'signed in the future' })).status).toBe(201)
    clock.mockImplementation(realNow)
    await node.restart()
    const ready = await node.ask('/ready')
    expect(ready.status).toBe(503)
    expect(await ready.text()).toMatch(/"clock":\{"ok":false,"reason":"the clock lies/)
    const metrics = await (await node.ask('/metrics')).text()
    expect(metrics).toMatch(/^eldernode_clock_behind 1$/m)
    expect(metrics).toMatch(/^eldernode_alarms\{code="clock_behind"\} 1$/m)
    expect(await (await node.ask('/v1/replication?limit=0')).json()).toMatchObject({
      alarms: [{ code: 'clock_behind' }],
      items: [],
    })
    clock.mockImplementation(() => realNow() + 3_600_000)
    await node.restart()
    expect((await node.ask('/ready')).status).toBe(200)
  } finally {
    clock.mockRestore()
    await node.stop()
  }
})
