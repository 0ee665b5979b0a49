import { NumberRefused } from '../desk/carrier-numbers.ts'
import type { Onboarding, OnboardingAsked, TestTold } from '../desk/onboarding.ts'
import type { TestCallResult } from '../desk/test-call.ts'
import { asError } from '../errors.ts'
import type { Answer, Directory } from '../store/directory.ts'
import { boughtOrFound, givenBack, viewOf } from './numbers.ts'
import { webhooksFor } from './paths.ts'
import type { OwnedNumber, TwilioRest } from './rest.ts'

interface OnboardingDependencies {
  readonly rest: Pick<TwilioRest, 'numbers'>
  readonly directory: Pick<Directory, 'create' | 'problemsOfNew'> & { upToDate(): Pick<Directory, 'withNumber'> }
  readonly publicBaseUrl: string | undefined
  /** A call to a business, by the way that every call takes. */
  readonly test: (business: string) => Promise<TestCallResult>
}

/** A number that is ours now, and how that is undone. */
interface Had {
  readonly owned: OwnedNumber
  undo(why: Error): Promise<Error>
}

/**
 * The number comes first, for only that can be given back: a business that was made stays. What is wrong with the business is
 * found out before anything is paid for.
 */
export function twilioOnboarding({ rest, directory, publicBaseUrl, test }: OnboardingDependencies): Onboarding {
  return {
    async begin(asked) {
      if (publicBaseUrl === undefined) {
        throw new NumberRefused(
          'conflict',
          'Set PUBLIC_BASE_URL first: a number needs an address that its calls go to.',
        )
      }
      const number = 'buy' in asked.number ? asked.number.buy : asked.number.take
      const { numbers = [] } = asked.business as { numbers?: unknown }
      const document = {
        ...asked.business,
        numbers: [...new Set([...(Array.isArray(numbers) ? numbers : []), number])],
      }
      const problems = directory.problemsOfNew(document)
      if (problems.length > 0) return { kind: 'wrong', problems }
      const owner = directory.upToDate().withNumber(number)?.id
      if (owner !== undefined)
        throw new NumberRefused('conflict', `The number belongs to the business ${owner} already.`)
      const had = await numberFor(rest, asked, publicBaseUrl, String(asked.business['name']))
      const made = await madeOr(directory.create(document), had)
      return {
        ...{ kind: 'done', business: made, number: viewOf(had.owned, made, publicBaseUrl) },
        test: asked.test ? toldOf(await test(made)) : undefined,
      }
    },
  }
}

/** The business stays, whatever came of its first call. */
function toldOf(result: TestCallResult): TestTold {
  switch (result.kind) {
    case 'walked':
      return result.report
    case 'busy':
      return notWalked('Another test call goes on: ask /v1/twilio/test-sip for this business in a minute.')
    case 'unknownBusiness':
      return notWalked('The business is gone again.')
  }
}

const notWalked = (detail: string): TestTold => ({
  ok: false,
  steps: [{ name: 'webhook', ok: false, afterMs: 0, detail }],
})

async function numberFor(
  rest: OnboardingDependencies['rest'],
  { number }: OnboardingAsked,
  publicBaseUrl: string,
  name: string,
): Promise<Had> {
  const webhooks = webhooksFor(publicBaseUrl)
  if ('buy' in number) {
    const { buy, addressSid, bundleSid } = number
    const owned = await boughtOrFound(rest, { number: buy, addressSid, bundleSid }, name, webhooks)
    return { owned, undo: why => givenBack(rest, owned, why) }
  }
  const [before] = await rest.numbers.list(number.take)
  if (!before) throw new NumberRefused('unknown', 'The account has no such number.')
  const owned = await rest.numbers.update(before.sid, webhooks)
  const undo = async (why: Error) => {
    const undone = await rest.numbers.update(before.sid, before.webhooks).then(
      () => 'The number is as it was.',
      error => `The number stays as it is now: ${asError(error).message}`,
    )
    return new NumberRefused('conflict', `${why.message} ${undone}`)
  }
  return { owned, undo }
}

async function madeOr(making: Promise<Answer>, had: Had): Promise<string> {
  let why: Error
  try {
    const answer = await making
    if (answer.kind === 'written') return answer.stored.id
    why = new Error(wordsOf(answer))
  } catch (error) {
    why = asError(error)
  }
  throw await had.undo(why)
}

function wordsOf(answer: Exclude<Answer, { kind: 'written' }>): string {
  switch (answer.kind) {
    case 'wrong':
      return answer.problems.join('; ')
    case 'exists':
      return 'There is a business with this id.'
    case 'full':
      return 'No more businesses can be kept.'
    case 'numberTaken':
      return `The number ${answer.number} belongs to the business ${answer.by} already.`
    default:
      return 'The business could not be made.'
  }
}
