import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { scopeOf } from '../callers/authorization.ts'
import { bodilessResponses, namedPaths } from './document-names.ts'
import { problems } from '../problem.ts'
import type { Services } from '../services.ts'

const tags = [
  { name: 'media', description: 'Items: publish, find, describe, take down.' },
  { name: 'content', description: 'The bytes of items.' },
  { name: 'uploads', description: 'Uploads that survive bad networks (tus 1.0).' },
  { name: 'imports', description: 'Items fetched from elsewhere.' },
  { name: 'access', description: 'Tokens and what they allow.' },
  { name: 'encryption', description: 'Readers of private items.' },
  { name: 'events', description: 'What happens, as it happens.' },
  { name: 'network', description: 'This node, its peers, and who belongs to the network.' },
  { name: 'status', description: 'Health, figures and this document.' },
  { name: 'doors', description: 'Routes of other media servers, for clients that know only those.' },
]

/** The page needs nothing from elsewhere, and runs nothing but its own scripts. Its styles stand in its elements. */
const pagePolicy = {
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
}

/** `/openapi.json`, made from the schemas that also check requests and answers, and `/docs`, a page to read it. */
export async function documentRoutes(app: Api, { version, endpoints }: Services): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'eldernode seeder',
        version,
        description: 'Publishes media over BitTorrent and keeps it alive on several nodes.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags,
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: (route) => {
      const { schema, url } = jsonSchemaTransform(route)
      return {
        schema: { ...schema, ...(schema?.response !== undefined && { response: bodilessResponses(schema.response) }) },
        url,
      }
    },
    transformObject: (document) => {
      const whole = jsonSchemaTransformObject(document)
      return 'paths' in whole ? { ...whole, paths: namedPaths(whole.paths) } : whole
    },
  })

  // What every route answers is added here, so that no route can forget to say it.
  app.addHook('onRoute', (route) => {
    const methods = [route.method].flat()
    const scopes = methods.flatMap((method) => scopeOf(method, route.config) ?? [])
    const response = typeof route.schema?.response === 'object' ? route.schema.response : {}
    route.schema = {
      ...route.schema,
      ...(scopes.length > 0 && { security: [{ token: [...new Set(scopes)] }] }),
      response: { ...problems(401, 429, 500), ...(scopes.length > 0 && problems(403)), ...response },
    }
  })

  app.get(
    '/openapi.json',
    {
      schema: {
        tags: ['status'],
        summary: 'This document',
        response: { 200: z.looseObject({ openapi: z.string() }).describe('OpenAPI 3.1') },
      },
    },
    async () => ({ ...app.swagger(), openapi: '3.1.0', servers: [{ url: endpoints().http }] }),
  )

  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: pagePolicy,
    uiConfig: { deepLinking: true, docExpansion: 'list', persistAuthorization: false },
  })
}
