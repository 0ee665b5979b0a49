import { type Clock, pause } from '../clock.ts'
import { type CarrierNumber, type CarrierNumbers, type NumberOrder, NumberRefused } from '../desk/carrier-numbers.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { StoredBusiness } from '../store/businesses.ts'
import type { Answer, Directory } from '../store/directory.ts'
import { CarrierError } from './errors.ts'
import { webhooksFor } from './paths.ts'
import type { NumberWebhooks, OwnedNumber, TwilioRest } from './rest.ts'

interface NumbersDependencies {
  readonly rest: Pick<TwilioRest, 'numbers'>
  readonly directory: Pick<Directory, 'change'> & {
    upToDate(): Pick<Directory, 'all' | 'stored' | 'find' | 'withNumber' | 'namesNumbers'>
  }
  readonly publicBaseUrl: string | undefined
  readonly clock: Clock
}

/** How often a change of a business is tried that somebody else changes meanwhile. */
const TRIES = 3

export function twilioNumbers(dependencies: NumbersDependencies): CarrierNumbers {
  const { rest, directory, publicBaseUrl } = dependencies
  const renumber = renumberer(dependencies)
  const wanted = () => {
    if (publicBaseUrl !== undefined) return webhooksFor(publicBaseUrl)
    throw new NumberRefused('conflict', 'Set PUBLIC_BASE_URL first: a number needs an address that its calls go to.')
  }
  const ownerOf = (number: string) => directory.upToDate().withNumber(number)?.id
  const told = (owned: OwnedNumber) => viewOf(owned, ownerOf(owned.number), publicBaseUrl)

  async function owned(number: string): Promise<OwnedNumber> {
    const [found] = await rest.numbers.list(number)
    if (!found) throw new NumberRefused('unknown', 'The account has no such number.')
    return found
  }

  return {
    search: asked => rest.numbers.search(asked),
    async buy(order) {
      const webhooks = wanted()
      mustBeFree(order, directory.upToDate())
      const bought = await boughtOrFound(rest, order, order.business, webhooks)
      try {
        const [there] = await rest.numbers.list(order.number)
        if (!there) throw new Error('the carrier does not list it')
        if (differing(there.webhooks, webhooks).length > 0) await rest.numbers.update(there.sid, webhooks)
        await renumber(order.business, numbers => [...numbers, order.number])
      } catch (error) {
        throw await givenBack(rest, bought, asError(error))
      }
      return told({ ...bought, webhooks })
    },
    async list() {
      const all = await rest.numbers.list()
      const known = new Set(all.map(({ number }) => number))
      const directoryNow = directory.upToDate()
      const elsewhere = directoryNow.all.flatMap(({ id }) => {
        const named = directoryNow.find(id)?.numbers ?? []
        return named.filter(number => !known.has(number)).map(number => foreign(number, id))
      })
      return [...all.map(told), ...elsewhere]
    },
    async fix(number) {
      const webhooks = wanted()
      const { sid } = await owned(number)
      return told(await rest.numbers.update(sid, webhooks))
    },
    async assign(number, business) {
      const found = await owned(number)
      mustBeThere(business, directory.upToDate())
      const before = ownerOf(number)
      if (before !== undefined) mustBeGiven(before, directory.upToDate())
      if (before !== business) await move(renumber, number, before, business)
      return told(found)
    },
    async release(number) {
      const { sid } = await owned(number)
      await rest.numbers.release(sid).catch(async error => {
        // What may have been done is looked for.
        const unsure = error instanceof CarrierError && error.unsure
        if (!unsure || (await rest.numbers.list(number)).length > 0) throw error
      })
      const business = ownerOf(number)
      if (business !== undefined) await renumber(business, numbers => without(numbers, number))
    },
  }
}

type Known = ReturnType<NumbersDependencies['directory']['upToDate']>

/** Before anything is paid for. */
function mustBeFree({ number, business }: NumberOrder, known: Known): void {
  mustBeThere(business, known)
  const owner = known.withNumber(number)?.id
  if (owner !== undefined) throw new NumberRefused('conflict', `The number belongs to the business ${owner} already.`)
}

function mustBeThere(business: string, known: Known): void {
  if (!known.stored(business))
    throw new NumberRefused(
      'unknown',
      `There is no business ${business}: npm run business -- list has those that there are.`,
    )
  mustBeGiven(business, known)
}

/** What a file says of it would hold again with the file's next edit. */
function mustBeGiven(business: string, known: Known): void {
  if (!known.namesNumbers(business)) return
  const remedy = 'Write it there, or take numbers out of the file: then those that are given here stay'
  throw new NumberRefused('conflict', `BUSINESS_FILE names the numbers of the business ${business}. ${remedy}.`)
}

/**
 * One whose answer was lost may be there all the same: buying another would pay twice. One that was there before is not taken
 * for it, for what cannot be used is given back.
 */
export async function boughtOrFound(
  rest: NumbersDependencies['rest'],
  { number, addressSid, bundleSid }: Omit<NumberOrder, 'business'>,
  name: string,
  webhooks: NumberWebhooks,
): Promise<OwnedNumber> {
  const [before] = await rest.numbers.list(number)
  if (before)
    throw new NumberRefused(
      'conflict',
      'The account has the number already: fix it and assign it, or take it for a new business.',
    )
  try {
    return await rest.numbers.buy({ number, webhooks, name, addressSid, bundleSid })
  } catch (error) {
    if (!(error instanceof CarrierError && error.unsure)) throw error
    const [found] = await rest.numbers.list(number).catch(() => {
      const remedy = 'Look at the list of numbers when it is there again: assign it, or release it.'
      throw new CarrierError('CARRIER_AWAY', `It is not known whether the number was bought. ${remedy}`, {
        unsure: true,
        cause: error,
      })
    })
    if (!found) throw error
    return found
  }
}

/** What happened to a number that could not be put to use. */
export async function givenBack(rest: NumbersDependencies['rest'], { sid }: OwnedNumber, why: Error): Promise<Error> {
  const failed = await rest.numbers.release(sid).then(
    () => undefined,
    error => asError(error),
  )
  if (failed === undefined) {
    return new NumberRefused(
      'conflict',
      `The number was bought and given back, for it could not be used: ${why.message}`,
    )
  }
  return new CarrierError(
    'CARRIER_AWAY',
    `The number was bought as ${sid} and could not be used (${why.message}), nor given back (${failed.message}): release it.`,
    { unsure: true, cause: why },
  )
}

type Renumber = (business: string, change: (numbers: readonly string[]) => readonly string[]) => Promise<void>

async function move(renumber: Renumber, number: string, from: string | undefined, to: string): Promise<void> {
  if (from !== undefined) await renumber(from, numbers => without(numbers, number))
  try {
    await renumber(to, numbers => [...numbers, number])
  } catch (error) {
    if (from !== undefined) await renumber(from, numbers => [...numbers, number])
    throw error
  }
}

/** Of what the business is now; somebody who changes it meanwhile, at this gateway or another, loses nothing. */
function renumberer({ directory, clock }: Pick<NumbersDependencies, 'directory' | 'clock'>): Renumber {
  return async (id, change) => {
    for (let attempt = 1; ; attempt++) {
      const known = directory.upToDate()
      const [stored, business] = [known.stored(id), known.find(id)]
      if (!stored || !business) throw new NumberRefused('unknown', `There is no business ${id}.`)
      const numbers = [...new Set(change(business.numbers))]
      const answer = await directory.change(id, { ...stored.choice, numbers }, [stored.version])
      if (answer.kind === 'written') return
      if (answer.kind !== 'outdated' || attempt === TRIES) throw new NumberRefused('conflict', wordsOf(answer, stored))
      // What another gateway has changed is seen by then.
      await pause(clock, 2 * limits.store.lookMs)
    }
  }
}

function wordsOf(answer: Exclude<Answer, { kind: 'written' }>, { id }: StoredBusiness): string {
  switch (answer.kind) {
    case 'wrong':
      return `The business ${id} cannot have it: ${answer.problems.join('; ')}.`
    case 'numberTaken':
      return `The number belongs to the business ${answer.by} already.`
    case 'outdated':
      return `The business ${id} is being changed by somebody else: try again.`
    default:
      return `The business ${id} cannot be changed: it is gone.`
  }
}

function without(numbers: readonly string[], number: string): string[] {
  return numbers.filter(each => each !== number)
}

export function viewOf(
  owned: OwnedNumber,
  business: string | undefined,
  publicBaseUrl: string | undefined,
): CarrierNumber {
  const { number, sid, voice, sms, webhooks, takenBy } = owned
  const wrong = publicBaseUrl === undefined ? [] : differing(webhooks, webhooksFor(publicBaseUrl))
  // Of a number that takes no messages it does not matter where they would go.
  const matter = wrong.filter(name => sms || !name.startsWith('sms'))
  const problems = [
    ...(publicBaseUrl === undefined ? ['PUBLIC_BASE_URL is not set: nothing can be said of its webhooks'] : []),
    ...matter.map(name => `its ${name} is not that of this Parley`),
    ...(takenBy === undefined ? [] : [`a ${takenBy} of the account has its calls: detach it in the console`]),
    ...(voice ? [] : ['it takes no calls']),
    ...(business === undefined ? ['it belongs to no business'] : []),
  ]
  return { number, sid, business: business ?? null, voice, sms, problems }
}

/** It may come by a trunk of somebody else's. */
function foreign(number: string, business: string): CarrierNumber {
  const problems = ['the account does not have it: calls come only if another trunk brings them']
  return { number, sid: null, business, voice: false, sms: false, problems }
}

/** By the names that a number's settings have there. */
function differing(there: NumberWebhooks, wanted: NumberWebhooks): string[] {
  const names = Object.keys(wanted) as (keyof NumberWebhooks)[]
  return names.filter(name => there[name] !== wanted[name])
}
