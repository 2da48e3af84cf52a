import { Validator } from '@seriousme/openapi-schema-validator'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Network } from '../harness/index.ts'
import { lacks, programPath } from '../harness/tools.ts'

interface Operation {
  operationId?: string
  summary?: string
  tags?: string[]
  parameters?: { name: string; in: string }[]
  responses: Record<string, { content?: object }>
}

interface Document extends Record<string, unknown> {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  tags: { name: string }[]
}

let network: Network
let document: Document

beforeAll(async () => {
  network = await Network.start({ seeders: 1, tracker: false })
  document = await network.first.get<Document>('/openapi.json')
})

afterAll(() => network.close())

test('the document is valid OpenAPI 3.1, and all that it refers to is there', async () => {
  expect(document.openapi).toBe('3.1.0')
  const validator = new Validator({ strict: false })
  const { valid, errors } = await validator.validate(structuredClone(document))
  expect(errors).toBeUndefined()
  expect([valid, validator.version]).toEqual([true, '3.1'])
  expect(JSON.stringify(validator.resolveRefs())).not.toContain('"$ref"')
})

test('each operation says what it is, in a group that is described, and names what its path names', () => {
  const described = document.tags.map(({ name }) => name)
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, ...operation })),
  )
  expect(operations.length).toBeGreaterThan(25)
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length)
  for (const { method, path, summary = '', tags = [], parameters = [], responses } of operations) {
    const where = `${method} ${path}`
    expect(summary.length, where).toBeGreaterThan(5)
    expect(described, where).toEqual(expect.arrayContaining(tags))
    expect(tags, where).toHaveLength(1)
    const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name)
    expect(
      parameters
        .filter((one) => one.in === 'path')
        .map(({ name }) => name)
        .toSorted(),
      where,
    ).toEqual(named.toSorted())
    const good = Object.keys(responses).filter((status) => /^[123]/.test(status))
    expect(good, `${where} says what it answers`).not.toEqual([])
  }
})

test.skipIf(lacks('chromium'))('the page at /docs shows the routes, and asks nobody else for anything', async () => {
  const browser = await chromium.launch({
    executablePath: programPath('chromium'),
    args: ['--no-sandbox', '--disable-gpu'],
  })
  try {
    const page = await browser.newPage()
    const asked: string[] = []
    const faults: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()))
    await page.goto(`${network.first.url}/docs`)
    await page.getByText('/v1/media/{id}/content', { exact: true }).first().waitFor({ timeout: 30_000 })
    await page.getByText('Publish one file').first().click()
    await page.getByText('multipart/form-data').first().waitFor({ state: 'attached' })
    expect(asked.filter((url) => !url.startsWith(network.first.url) && !url.startsWith('data:'))).toEqual([])
    expect(faults).toEqual([])
  } finally {
    await browser.close()
  }
})
