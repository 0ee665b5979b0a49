import { NumberRefused } from '../desk/carrier-numbers.ts'
import { limits } from '../limits.ts'
import type { ServerDependencies } from './dependencies.ts'
import {
  assignment,
  carrierNumber,
  numberList,
  numberOrder,
  numberParameters,
  offeredNumbers,
  release,
  released,
  searchQuery,
} from './number-schemas.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

/** Numbers cost money, and whoever has one gets its calls: all of it is the operator's. */
export function numberRoutes(app: TypedServer, { numbers, log }: Pick<ServerDependencies, 'numbers' | 'log'>): void {
  const config = { access: 'operator' } as const
  // Several questions to the carrier, one after the other.
  const handlerTimeout = limits.twilio.numbers.requestMs
  const params = numberParameters

  const list = {
    summary: 'Numbers of the account and of businesses, with what is wrong',
    response: { 200: numberList },
  }
  app.get('/v1/numbers', { config, schema: list, handlerTimeout }, async () => ({
    numbers: (await answered(numbers.list())).map(each => ({ ...each, problems: [...each.problems] })),
  }))

  const search = { summary: 'Numbers that can be bought', querystring: searchQuery, response: { 200: offeredNumbers } }
  app.get('/v1/numbers/available', { config, schema: search, handlerTimeout }, async request => {
    const { sms, ...wanted } = request.query
    return { numbers: [...(await answered(numbers.search({ ...wanted, sms: sms && sms === 'true' })))] }
  })

  const buying = { summary: 'Buys a number for a business', body: numberOrder, response: { 201: carrierNumber } }
  app.post('/v1/numbers', { config, schema: buying, handlerTimeout }, async (request, reply) => {
    const bought = await answered(numbers.buy(request.body))
    log.info({ business: bought.business, sid: bought.sid }, 'an operator has bought a number')
    return reply.code(201).send(told(bought))
  })

  const fixing = { summary: 'Sets the webhooks of a number anew', params, response: { 200: carrierNumber } }
  app.post('/v1/numbers/:number/fix', { config, schema: fixing, handlerTimeout }, async request => {
    const fixed = await answered(numbers.fix(request.params.number))
    log.info({ sid: fixed.sid }, 'an operator has fixed a number')
    return told(fixed)
  })

  const assigning = {
    summary: 'Gives a number to a business',
    params,
    body: assignment,
    response: { 200: carrierNumber },
  }
  app.put('/v1/numbers/:number', { config, schema: assigning, handlerTimeout }, async request => {
    const { business } = request.body
    const assigned = await answered(numbers.assign(request.params.number, business))
    log.info({ business, sid: assigned.sid }, 'an operator has given a number to a business')
    return told(assigned)
  })

  const releasing = {
    summary: 'Gives a number back to the carrier',
    params,
    body: release,
    response: { 200: released },
  }
  app.delete('/v1/numbers/:number', { config, schema: releasing, handlerTimeout }, async request => {
    const { number } = request.params
    if (request.body.number !== number) {
      throw new Refusal(400, 'Repeat the number in the body: released, it is gone for good, and may be sold to others.')
    }
    await answered(numbers.release(number))
    log.info('an operator has released a number')
    return { number, released: true as const }
  })
}

type Told = Awaited<ReturnType<ServerDependencies['numbers']['fix']>>

function told(number: Told) {
  return { ...number, problems: [...number.problems] }
}

export async function answered<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof NumberRefused) throw new Refusal(error.why === 'unknown' ? 404 : 409, error.message)
    throw error
  }
}
