import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import { readiness } from './readiness.ts'
import { alive, ready } from './schemas.ts'
import type { TypedServer } from './typed.ts'

/** What watches the gateway from outside: the probes need no token and tell no secret, the metrics need one. */
export function probeRoutes(app: TypedServer, dependencies: ServerDependencies): void {
  const { clock, version, registry } = dependencies
  const startedMs = clock.now()

  app.get(
    '/healthz',
    { config: { access: 'public' }, schema: { summary: 'Whether the process lives', response: { 200: alive } } },
    async () => {
      return { status: 'alive' as const, version, uptimeSeconds: Math.floor((clock.now() - startedMs) / 1_000) }
    },
  )

  app.get(
    '/readyz',
    { config: { access: 'public' }, schema: { summary: 'Whether a call would be answered', response: { 200: ready } } },
    async () => {
      const { reasons, warnings } = readiness(dependencies)
      if (reasons.length > 0) throw new Refusal(503, reasons.join(' '), { reasons, warnings })
      return { status: 'ready' as const, warnings: [...warnings] }
    },
  )

  app.get(
    '/metrics',
    { config: { access: 'operator' }, schema: { summary: 'For Prometheus' } },
    async (_request, reply) => {
      return reply.type(registry.contentType).send(await registry.metrics())
    },
  )
}
