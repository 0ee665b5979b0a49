import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { limits } from '../limits.ts'
import type { Log } from '../log.ts'
import { bearerOnly } from './access.ts'
import { businessRoutes } from './business-routes.ts'
import { callRoutes } from './call-routes.ts'
import { deletionRoutes } from './deletion-routes.ts'
import { deliveryRoutes } from './delivery-routes.ts'
import type { ServerDependencies } from './dependencies.ts'
import { doNotCallRoutes } from './do-not-call-routes.ts'
import { forgetRoutes } from './forget-routes.ts'
import { securityHeaders } from './headers.ts'
import { jobRoutes } from './job-routes.ts'
import { messageRoutes } from './message-routes.ts'
import { numberRoutes } from './number-routes.ts'
import { onboardingRoutes } from './onboarding-routes.ts'
import { describeRoutes } from './openapi.ts'
import { openapiRoutes } from './openapi-routes.ts'
import { outboundRoutes } from './outbound-routes.ts'
import { probeRoutes } from './probes.ts'
import { answerBrokenRequest, answerError, problemOf, Refusal, sendProblem } from './problem.ts'
import { processMetrics } from './process-metrics.ts'
import { recordingAudioRoutes } from './recording-audio-routes.ts'
import { stateMetrics } from './state-metrics.ts'
import { statsRoutes } from './stats-routes.ts'
import { testCallRoutes } from './test-call-routes.ts'
import { textRoutes } from './text-routes.ts'
import { TokenRegister } from './token-register.ts'
import { tokenRoutes } from './token-routes.ts'
import { typed } from './typed.ts'
import { usageRoutes } from './usage-routes.ts'
import { voicemailRoutes } from './voicemail-routes.ts'

/**
 * The HTTP side of the gateway, built without listening. A request's way: limits of the socket -> security headers ->
 * token -> schema -> route -> answer cut to its schema; every failure leaves as a problem (RFC 9457).
 */
export function buildServer(dependencies: ServerDependencies): FastifyInstance {
  const app = bareServer(dependencies.log)
  app.server.maxConnections = limits.http.connections
  app.setErrorHandler(answerError(dependencies.log))
  app.setNotFoundHandler(() => {
    throw new Refusal(404, 'There is nothing here.')
  })
  app.addHook('onRequest', async (_request, reply) => void reply.headers(securityHeaders))
  const register = new TokenRegister(dependencies.store, dependencies.clock)
  app.addHook('onRequest', bearerOnly(dependencies.token, register))
  logAnswers(app, dependencies.log)
  const { registry, version } = dependencies
  stateMetrics(registry, dependencies, version)
  const stopWatching = processMetrics(registry)
  app.addHook('onClose', async () => stopWatching())
  const describe = describeRoutes(app, version)
  const routes = typed(app)
  probeRoutes(routes, dependencies)
  callRoutes(routes, dependencies)
  messageRoutes(routes, dependencies)
  textRoutes(routes, dependencies)
  voicemailRoutes(routes, dependencies)
  recordingAudioRoutes(routes, dependencies)
  deliveryRoutes(routes, dependencies)
  deletionRoutes(routes, dependencies)
  forgetRoutes(routes, dependencies)
  statsRoutes(routes, dependencies)
  businessRoutes(routes, dependencies)
  tokenRoutes(routes, dependencies, register)
  usageRoutes(routes, dependencies)
  numberRoutes(routes, dependencies)
  onboardingRoutes(routes, dependencies)
  outboundRoutes(routes, dependencies)
  doNotCallRoutes(routes, dependencies)
  testCallRoutes(routes, dependencies)
  jobRoutes(routes, dependencies)
  dependencies.edge?.(app)
  openapiRoutes(routes, describe)
  return app
}

function bareServer(log: Log): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = log
  return fastify({
    loggerInstance,
    // What Fastify would log of a request holds its whole address; ours is below.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: limits.http.bodyBytes,
    requestTimeout: limits.http.requestMs,
    handlerTimeout: limits.http.requestMs,
    // Node looks for requests that are too slow only every 30 seconds unless told otherwise.
    http: { connectionsCheckingInterval: limits.http.requestMs / 4, headersTimeout: limits.http.requestMs },
    routerOptions: { maxParamLength: limits.http.paramChars },
    // Requests that come in while the server closes get a true answer, in the one shape of errors.
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      reply.headers(securityHeaders)
      sendProblem(reply, problemOf(error, request.id))
    },
  })
}

/**
 * The route's pattern stands for the address: what a client writes into a path or a query may be a number or a token.
 * Reading is watched once a second by programs; only what changes something, or is turned away, is told by default.
 */
function logAnswers(app: FastifyInstance, log: Log): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, id } = request
    const level = reply.statusCode === 401 ? 'warn' : method === 'GET' || method === 'HEAD' ? 'debug' : 'info'
    const route = routeOptions.url ?? 'unknown'
    log[level](
      { request: id, method, route, status: reply.statusCode, tookMs: Math.round(reply.elapsedTime) },
      'a request was answered',
    )
  })
}
