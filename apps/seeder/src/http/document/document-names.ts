import { z } from 'zod'

const pathsSchema = z.record(z.string(), z.record(z.string(), z.looseObject({})))
const parameterSchema = z.looseObject({ name: z.string() })

/**
 * Names what the router has no names for: the rest of a path, which it calls `*`, and each operation.
 * @param paths as OpenAPI has them
 */
export function namedPaths(paths: unknown): z.output<typeof pathsSchema> {
  const named = Object.entries(pathsSchema.parse(paths)).map(([path, operations]) => {
    const plain = path.replace('{*}', '{path}')
    return [plain, Object.fromEntries(Object.entries(operations).map((entry) => namedOperation(plain, entry)))] as const
  })
  return Object.fromEntries(named)
}

function namedOperation(path: string, [method, operation]: [string, z.output<typeof pathsSchema>[string][string]]) {
  const parameters = z.array(parameterSchema).optional().parse(operation['parameters'])
  const named = parameters?.map((parameter) => (parameter.name === '*' ? { ...parameter, name: 'path' } : parameter))
  return [
    method,
    { ...operation, operationId: operationId(method, path), ...(named !== undefined && { parameters: named }) },
  ] as const
}

/** `get`, `/v1/media/{id}/content/{path}` -> `getV1MediaIdContentPath`. */
function operationId(method: string, path: string): string {
  const words = path.split(/[^A-Za-z0-9]+/).filter((word) => word !== '')
  return method + words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
}

const responseSchema = z.looseObject({
  description: z.string().optional(),
  content: z.record(z.string(), z.unknown()).optional(),
  not: z.object({}).optional(),
})

/**
 * Answers without a body, as the document's maker understands them: they have no content, or a schema that nothing fits.
 * @param responses by status
 */
export function bodilessResponses(responses: unknown): Record<string, unknown> {
  const all = z.record(z.string(), responseSchema).parse(responses)
  return Object.fromEntries(
    Object.entries(all).map(([status, response]) => {
      const { description, content, not } = response
      const isEmpty = not !== undefined || (content !== undefined && Object.keys(content).length === 0)
      return [status, isEmpty ? { type: 'null', ...(description !== undefined && { description }) } : response]
    }),
  )
}
