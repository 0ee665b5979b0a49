import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify'
import type { z } from 'zod'
import { Refusal } from './problem.ts'

declare module 'fastify' {
  interface FastifySchema {
    /** For whoever reads what the API can do. */
    summary?: string
  }
}

/** A route's zod schemas check and type its request, and cut and type its answer. */
interface ZodTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  readonly serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown
}

export type TypedServer = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypes
>

export function typed(app: FastifyInstance): TypedServer {
  app.setValidatorCompiler<z.ZodType>(({ schema }) => data => {
    const result = schema.safeParse(data)
    return result.success ? { value: result.data } : { error: invalid(result.error) }
  })
  app.setSerializerCompiler<z.ZodType>(
    ({ schema }) =>
      data =>
        JSON.stringify(schema.parse(data)),
  )
  return app.withTypeProvider<ZodTypes>()
}

function invalid(error: z.ZodError): Refusal {
  const problems = error.issues.map(issue => [...issue.path, issue.message].join(': '))
  return new Refusal(400, 'The request asks for something that is not to be had.', { problems })
}
