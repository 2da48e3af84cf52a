import type { IncomingMessage } from 'node:http'
import fastify, { type FastifyError, type FastifyReply } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Api } from './api.ts'
import { InsufficientScopeError } from '../access/index.ts'
import { authorize, changesSomething, identify, memberOf } from './callers/authorization.ts'
import { readerRoutes } from './encryption/readers.ts'
import { rotationRoutes } from './encryption/rotation.ts'
import { auditRoutes } from './network/audits.ts'
import { Bearers } from './callers/bearers.ts'
import type { Connections } from './connections.ts'
import { allowOrigins } from './cors.ts'
import { checkRoutes } from './uploads/check.ts'
import { contentRoutes } from './content/content.ts'
import { denialRoutes } from './network/denials.ts'
import { documentRoutes } from './document/document.ts'
import { gunMediaServerDoor } from './doors/gun-media-server.ts'
import { gunMapsDoor } from './doors/gun-maps.ts'
import { oipDoor } from './doors/oip.ts'
import { torrentDoor } from './doors/torrent.ts'
import { eventRoutes } from './events/events.ts'
import { readJson } from './json.ts'
import { NotReadyError, RangeNotSatisfiableError, RouteNotFoundError } from './errors.ts'
import { importRoutes } from './imports/imports.ts'
import { StorageSuspendedError } from '../library/index.ts'
import { answerOnce } from './idempotency/idempotency.ts'
import { mediaRoutes } from './media/media.ts'
import { memberRoutes } from './network/members.ts'
import { metricsRoutes, observeRequests } from './network/metrics.ts'
import { networkRoutes } from './network/network.ts'
import { type Problem, problemOf, problemType } from './problem.ts'
import { resumableRoutes } from './uploads/resumable.ts'
import { quotaRoutes } from './callers/quotas.ts'
import { RequestRates } from './callers/request-rates.ts'
import { restorationRoutes, retractionRoutes } from './media/retraction.ts'
import type { Services } from './services.ts'
import { drainRoutes } from './standing/drain.ts'
import { repairRoutes } from './standing/repair.ts'
import { replicationRoutes } from './standing/replication.ts'
import { statusRoutes } from './network/status.ts'
import { tokenRoutes } from './callers/tokens.ts'
import { trafficRoutes } from './media/traffic.ts'
import { uploadRoutes } from './uploads/upload.ts'
import type { RunningUploads } from './uploads/running-uploads.ts'
import { webhookRoutes } from './events/webhooks.ts'
import { verificationRoutes } from './media/verification.ts'

/** What does not pass within seconds. */
const slow = new Set(['disk_unwritable', 'media_being_mended', 'media_paused'])
/** What the operator has to know of. */
const faults = new Set(['disk_unwritable', 'internal'])

/** The HTTP API with all its routes. It listens to nothing yet. */
export async function createApp(services: Services, connections: Connections, uploads: RunningUploads): Promise<Api> {
  const app: Api = fastify({
    bodyLimit: 64 * 1024,
    // Uploads may take hours; Intake watches that they keep moving, and headers have a time-out of their own.
    requestTimeout: 0,
    http: {
      headersTimeout: 15_000,
      maxHeaderSize: 16 * 1024,
      connectionsCheckingInterval: 5000,
      // RFC 9110, 7.8: other upgrades (clients offer h2c with every request) are ignored, and the request answered.
      shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket',
    },
    routerOptions: { maxParamLength: 4096 },
    // Whoever is not such a proxy could name any address.
    trustProxy: services.trustedProxies.length > 0 ? [...services.trustedProxies] : false,
    clientErrorHandler: (error, socket) => connections.refuse(error, socket),
    frameworkErrors: (error, _request, reply: FastifyReply) => answer(reply, problemOf(error)),
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  readJson(app)

  app.addHook('onRequest', async (request, reply) => connections.begin(request.raw, reply.raw))
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = problemOf(error)
    if (faults.has(problem.code)) services.log.error({ err: error, url: request.url }, 'a request failed')
    if (problem.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer realm="eldernode"')
    if (error instanceof InsufficientScopeError) {
      const challenge = `Bearer realm="eldernode", error="insufficient_scope", scope="${error.scope}"`
      void reply.header('www-authenticate', challenge)
    }
    if ('retryAfterMs' in error) void reply.header('retry-after', Math.ceil(Number(error.retryAfterMs) / 1000))
    if (problem.status === 503) void reply.header('retry-after', slow.has(problem.code) ? 60 : 2)
    if (error instanceof RangeNotSatisfiableError) void reply.header('content-range', `bytes */${error.size}`)
    answer(reply, problem)
  })
  app.setNotFoundHandler((request) => {
    throw new RouteNotFoundError(request.method, request.url.slice(0, 200))
  })
  observeRequests(app, services)

  await allowOrigins(app, services.origins)
  const rates = await RequestRates.of(app, services.rates)
  app.decorateRequest('caller', undefined)
  app.decorateRequest('member', undefined)
  const bearers = new Bearers(services.now)
  app.addHook('onRequest', async (request, reply) => {
    request.caller = await identify(request, services.tokens, rates)
    if (request.caller !== undefined) bearers.enter(request.caller, reply.raw)
    const isChange = changesSomething(request.method)
    if (!isChange && !request.is404) request.member = await memberOf(request, services, rates)
    if (request.routeOptions.config.unmetered !== true) await rates.spend(request)
    if (request.is404) return
    authorize(request)
    if (!isChange) return
    if (request.routeOptions.config.always === true) return
    const needsStorage = request.routeOptions.config.withoutStorage !== true
    const { folder, state } = services.library.storage()
    if (needsStorage && state !== 'here') throw new StorageSuspendedError(folder, state)
    const missing = services.checks().filter(({ name, ok }) => !ok && (needsStorage || name !== 'library'))
    if (missing.length > 0) throw new NotReadyError(missing.map(({ name, reason }) => `${name}: ${reason}`))
  })
  app.addHook('onRequest', async (request, reply) => connections.invite(request.raw, reply.raw))
  app.server.on('checkContinue', (request, response) => app.routing(request, response))
  answerOnce(app, services)
  await documentRoutes(app, services)
  await statusRoutes(app, services)
  await uploadRoutes(app, services, uploads)
  await resumableRoutes(app, services)
  await checkRoutes(app, services)
  await mediaRoutes(app, services)
  const serve = await contentRoutes(app, services)
  await retractionRoutes(app, services)
  await restorationRoutes(app, services)
  await verificationRoutes(app, services)
  await trafficRoutes(app, services)
  await readerRoutes(app, services)
  await rotationRoutes(app, services)
  await repairRoutes(app, services)
  await replicationRoutes(app, services)
  await drainRoutes(app, services)
  await networkRoutes(app, services)
  await memberRoutes(app, services)
  await tokenRoutes(app, services, bearers)
  await quotaRoutes(app, services)
  await denialRoutes(app, services)
  await auditRoutes(app, services)
  await gunMapsDoor(app, services)
  await eventRoutes(app, services)
  await webhookRoutes(app, services)
  await importRoutes(app, services)
  await gunMediaServerDoor(app, services, { serve, uploads })
  await oipDoor(app, services, { serve, uploads })
  await torrentDoor(app, services, serve)
  await metricsRoutes(app, services)
  await app.ready()
  return app
}

function answer(reply: FastifyReply, problem: Problem): void {
  void reply.code(problem.status).type(problemType).send(problem)
}
