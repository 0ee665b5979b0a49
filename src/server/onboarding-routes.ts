import { z } from 'zod'
import { e164 } from '../business-destinations.ts'
import { limits } from '../limits.ts'
import { businessDocument } from './business-schemas.ts'
import type { ServerDependencies } from './dependencies.ts'
import { answered } from './number-routes.ts'
import { carrierNumber, sid } from './number-schemas.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

const asked = z.strictObject({
  business: businessDocument.describe('Of the same form as its file; the number comes into its numbers.'),
  number: z.union([
    z.strictObject({ buy: e164, addressSid: sid('AD').optional(), bundleSid: sid('BU').optional() }),
    z.strictObject({ take: e164.describe('One that the account has, and no business.') }),
  ]),
  test: z.boolean().default(true).describe('Whether it is called at the end.'),
})

export const onboarded = z.object({
  business: z.string(),
  number: carrierNumber,
  test: z
    .object({
      ok: z.boolean(),
      steps: z.array(z.object({ name: z.string(), ok: z.boolean(), afterMs: z.number(), detail: z.string() })),
    })
    .nullable()
    .describe('None: it was not asked for.'),
})

/** A business from nothing to its first call, in one request. */
export function onboardingRoutes(
  app: TypedServer,
  { onboarding, log }: Pick<ServerDependencies, 'onboarding' | 'log'>,
): void {
  const schema = {
    summary: 'Makes a business with a number of its own',
    body: asked,
    response: { 201: onboarded },
  }
  const handlerTimeout = limits.twilio.numbers.requestMs + limits.twilio.testCallMs
  const bodyLimit = limits.http.businessBytes
  app.post(
    '/v1/onboarding',
    { config: { access: 'operator' }, schema, handlerTimeout, bodyLimit },
    async (request, reply) => {
      const done = await answered(onboarding.begin(request.body))
      if (done.kind === 'wrong') {
        const { problems } = done
        throw new Refusal(400, `The business has ${problems.length} problem(s).`, { problems })
      }
      const { business, number, test } = done
      log.info({ business, sid: number.sid }, 'an operator has made a business with a number')
      return reply.code(201).send({
        business,
        number: { ...number, problems: [...number.problems] },
        test: test ? { ok: test.ok, steps: [...test.steps] } : null,
      })
    },
  )
}
