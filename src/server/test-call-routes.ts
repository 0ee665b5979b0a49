import { z } from 'zod'
import { testCallSteps } from '../desk/test-call.ts'
import { limits } from '../limits.ts'
import type { ServerDependencies } from './dependencies.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

const query = z.strictObject({
  business: z.string().min(1).max(limits.http.paramChars).optional(),
  through: z.enum(['local', 'public']).default('local'),
})

const report = z.object({
  ok: z.boolean(),
  call: z.string(),
  business: z.string(),
  steps: z.array(z.object({ name: z.enum(testCallSteps), ok: z.boolean(), afterMs: z.number(), detail: z.string() })),
})

/** Whether a call would come through, tried out: the operator's. */
export function testCallRoutes(app: TypedServer, { testCalls }: Pick<ServerDependencies, 'testCalls'>): void {
  const schema = {
    summary: "Walks the path of a real call, from Twilio's question to the agent's first sound",
    querystring: query,
    response: { 200: report },
  }
  const config = { access: 'operator' } as const
  // Longer than any other answer takes: it waits for an agent to speak.
  const handlerTimeout = limits.twilio.testCallMs + limits.http.requestMs
  app.get('/v1/twilio/test-sip', { config, schema, handlerTimeout }, async request => {
    const { business, through } = request.query
    const result = await testCalls.place({ business, through })
    if (result.kind === 'busy') throw new Refusal(409, 'A test call is on its way: wait for its end.')
    if (result.kind === 'unknownBusiness') throw new Refusal(404, 'There is no such business.')
    return { ...result.report, steps: [...result.report.steps] }
  })
}
