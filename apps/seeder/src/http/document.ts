import swagger from '@fastify/swagger'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { Api } from './api.ts'
import { scopeOf } from './authorization.ts'
import { problems } from './problem.ts'
import type { Services } from './services.ts'

/** `/openapi.json`, made from the schemas that also check requests and answers. */
export async function documentRoutes(app: Api, { version, endpoints }: Services): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'eldernode seeder',
        version,
        description: 'Publishes media over BitTorrent and keeps it alive on several nodes.',
      },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })

  // What every route answers is added here, so that no route can forget to say it.
  app.addHook('onRoute', (route) => {
    const methods = [route.method].flat()
    const scopes = methods.flatMap((method) => scopeOf(method, route.config?.scope) ?? [])
    const response = typeof route.schema?.response === 'object' ? route.schema.response : {}
    route.schema = {
      ...route.schema,
      ...(scopes.length > 0 && { security: [{ token: [...new Set(scopes)] }] }),
      response: { ...problems(401, 429, 500), ...(scopes.length > 0 && problems(403)), ...response },
    }
  })

  app.get('/openapi.json', { schema: { tags: ['status'], summary: 'This document' } }, async () => ({
    ...app.swagger(),
    servers: [{ url: endpoints().http }],
  }))
}
