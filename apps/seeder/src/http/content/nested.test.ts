import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestNode, type TestNode } from '../testing/test-node.ts'

interface Schema {
  $ref?: string
  properties?: Record<string, unknown>
}

interface Document {
  paths: Record<string, Record<string, { requestBody?: { content: Record<string, { schema: Schema }> } }>>
  components: { schemas: Record<string, Schema> }
}

let node: TestNode
beforeAll(async () => {
  node = await startTestNode()
})
afterAll(() => node.stop())

const deep = '['.repeat(25_000) + ']'.repeat(25_000)

test('JSON that is nested thousands of times exhausts no stack, wherever it stands', async () => {
  const { paths, components } = (await (await node.ask('/openapi.json')).json()) as Document
  const fields = ({ $ref, properties }: Schema): string[] =>
    $ref === undefined ? Object.keys(properties ?? {}) : fields(components.schemas[$ref.split('/').at(-1) ?? ''] ?? {})
  let asked = 0
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, { requestBody }] of Object.entries(methods)) {
      const schema = requestBody?.content['application/json']?.schema
      if (schema === undefined) continue
      const bodies = [deep, ...fields(schema).flatMap((name) => [`{"${name}":${deep}}`, `{"${name}":{"x":${deep}}}`])]
      for (const body of bodies) {
        const response = await node.ask(path.replaceAll(/\{[^}]*\}/g, 'a'.repeat(40)), {
          method: method.toUpperCase(),
          body,
          headers: { 'content-type': 'application/json', 'idempotency-key': `key-${asked}` },
        })
        await response.arrayBuffer()
        expect(response.status, `${method} ${path} ${body.slice(0, 30)}`).toBeLessThan(500)
        asked++
      }
    }
  }
  expect(asked).toBeGreaterThan(30)
})

test('half a character is refused where it would be signed', async () => {
  const headers = { 'content-type': 'application/json' }
  const bodies = {
    '/v1/denials': `{"infoHash": "${'a'.repeat(40)}", "reason": "\\ud800"}`,
    '/v1/members': `{"member": "${'a'.repeat(42)}A", "operator": "\\ud800"}`,
  }
  for (const [path, body] of Object.entries(bodies)) {
    const response = await node.ask(path, { method: 'POST', body, headers })
    expect([path, response.status, await response.text()]).toEqual([path, 400, expect.stringContaining('well-formed')])
  }
})
