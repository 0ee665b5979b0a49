import { createHmac, randomBytes } from 'node:crypto'
import type { Call } from '../caller/call.ts'
import type { Answer } from '../caller/signalling.ts'
import { levelDb } from '../caller/tones.ts'
import { type Clock, within } from '../clock.ts'
import type { TestCallAsked, TestCallReport, TestCallStep, TestCalls } from '../desk/test-call.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import { type Dialled, dialledBy, verbsOf } from './dialled.ts'
import type { TwilioPath } from './paths.ts'
import type { House } from './webhook.ts'

export interface TestCallParts {
  readonly accountSid: string | undefined
  readonly authToken: string | undefined
  readonly publicBaseUrl: string | undefined
  /** Where this server is asked on this machine. */
  readonly localBaseUrl: string
  /** Who calls, and whom where a business has no number. */
  readonly phoneNumber: string | undefined
  readonly businesses: House['businesses']
  /** To our own Asterisk, whatever host the address names: from here it may not be reached by that name. */
  readonly dial: (dialled: Dialled) => Promise<PlacedCall>
  readonly clock: Clock
}

type PlacedCall = Pick<Call, 'answered' | 'ended' | 'onFrame' | 'hangup' | 'vanish'>

/** Quieter is the line itself. */
const AUDIBLE_DB = -45
/** Kept for examples: it calls nobody back. */
const CALLER = '+15550100199'

export function testCalls(parts: TestCallParts): TestCalls {
  let walking = false
  return {
    async place(asked) {
      const businesses = parts.businesses()
      const business = asked.business === undefined ? businesses.standard : businesses.find(asked.business)
      if (!business) return { kind: 'unknownBusiness' }
      if (walking) return { kind: 'busy' }
      walking = true
      try {
        const called = business.numbers[0] ?? parts.phoneNumber ?? ''
        return { kind: 'walked', report: { ...(await walk(parts, asked, called)), business: business.id } }
      } finally {
        walking = false
      }
    },
  }
}

async function walk(
  parts: TestCallParts,
  asked: TestCallAsked,
  called: string,
): Promise<Omit<TestCallReport, 'business'>> {
  const { clock } = parts
  const call = `CA${randomBytes(16).toString('hex')}`
  const beganMs = clock.now()
  const steps: TestCallStep[] = []
  let placed: PlacedCall | undefined
  const tell = (name: TestCallStep['name'], ok: boolean, detail: string) => {
    steps.push({ name, ok, afterMs: Math.round(clock.now() - beganMs), detail })
  }
  let name: TestCallStep['name'] = 'webhook'
  const go = async () => {
    const twiml = await twimlFor(parts, asked, { call, called })
    tell(name, true, 'The reception has answered.')
    name = 'twiml'
    const dialled = dialledIn(twiml)
    tell(name, true, `It has sip:${dialled.user}@${dialled.host}:${dialled.port} dialled.`)
    name = 'invite'
    placed = await parts.dial(dialled)
    tell(name, true, 'Asterisk is called.')
    name = 'answered'
    const sounded = firstSound(placed)
    const answer = await placed.answered
    if (answer.kind === 'refused') throw new Error(whyRefused(answer))
    tell(name, true, 'The agent has answered.')
    name = 'firstSound'
    await sounded
    tell(name, true, 'The agent is heard.')
    name = 'hungUp'
    const { by, how } = await placed.hangup()
    tell(name, true, `The call is over (${how} by the ${by}).`)
  }
  const late = () => new Error(`It has not come within ${limits.twilio.testCallMs / 1_000} s of the beginning.`)
  await within(clock, limits.twilio.testCallMs, go(), late).catch(error => tell(name, false, asError(error).message))
  placed?.vanish()
  return { ok: steps.every(({ ok }) => ok), call, steps }
}

/** As Twilio asks, https://www.twilio.com/docs/voice/twiml#request-parameters */
async function twimlFor(
  { accountSid, authToken, publicBaseUrl, localBaseUrl }: TestCallParts,
  { through }: TestCallAsked,
  { call, called }: { readonly call: string; readonly called: string },
): Promise<string> {
  const path = `${'/v1/twilio/call' satisfies TwilioPath}?test=yes`
  const fields = {
    ...(accountSid !== undefined && { AccountSid: accountSid }),
    ...{ ApiVersion: '2010-04-01', CallSid: call, CallStatus: 'ringing', Direction: 'inbound' },
    ...{ Caller: CALLER, From: CALLER, Called: called, To: called },
  }
  const base = through === 'public' ? publicBaseUrl : localBaseUrl
  if (base === undefined) throw new Error('There is no PUBLIC_BASE_URL to be asked at.')
  const response = await fetch(`${base}${path}`, {
    method: 'POST',
    headers: { 'x-twilio-signature': signatureOf(authToken ?? '', `${publicBaseUrl ?? ''}${path}`, fields) },
    body: new URLSearchParams(fields),
    redirect: 'error',
    signal: AbortSignal.timeout(limits.twilio.answerMs),
  }).catch(error => {
    throw new Error(`${base} cannot be asked: ${asError(error.cause ?? error).message}`)
  })
  const text = await response.text()
  if (response.status !== 200)
    throw new Error(`The reception has answered ${response.status}: ${text.slice(0, 200).trim()}`)
  if (!/^(text|application)\/xml\b/.test(response.headers.get('content-type') ?? ''))
    throw new Error(`What answers at ${base} is no Parley: it sends no XML.`)
  return text
}

/** https://www.twilio.com/docs/usage/webhooks/webhooks-security */
function signatureOf(authToken: string, url: string, fields: Readonly<Record<string, string>>): string {
  const written = Object.entries(fields)
    .map(pair => pair.join(''))
    .sort()
  return createHmac('sha1', authToken)
    .update(`${url}${written.join('')}`)
    .digest('base64')
}

function dialledIn(twiml: string): Dialled {
  const dialled = dialledBy(twiml)
  if (dialled) return dialled
  throw new Error(
    `The reception does not have the agent dialled, but answers with ${verbsOf(twiml) || 'nothing'}: is SIP_DOMAIN set, is the business open and active, and does GET /readyz say ready?`,
  )
}

function whyRefused({ status, reason }: Extract<Answer, { kind: 'refused' }>): string {
  const why: Readonly<Record<number, string>> = {
    403: 'nobody is let in from this machine. SIP_ALLOW must hold 127.0.0.1/32',
    404: 'nobody of that name is answered here: SIP_USER',
    503: 'the gateway is full or not ready, see GET /readyz',
  }
  return `Asterisk has refused the call with ${status} (${why[status] ?? reason}).`
}

async function firstSound(call: PlacedCall): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  const stop = call.onFrame(({ samples }) => levelDb(samples) > AUDIBLE_DB && resolve())
  void call.ended.then(({ by, reason }) =>
    reject(new Error(`The call was ended by the ${by} before a sound: ${reason}`)),
  )
  await promise.finally(stop)
}
