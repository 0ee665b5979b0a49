import { expect } from 'vitest'
import { type Business, judgeChoice } from '../../src/business.ts'
import type { CallEvent } from '../../src/call/events.ts'
import { createLog } from '../../src/log.ts'
import { LegTokens } from '../../src/twilio/leg-token.ts'
import type { CallHouse } from '../../src/twilio/reception.ts'
import type { Webhook } from '../../src/twilio/webhook.ts'
import { judgeTwiml } from '../support/twiml-judge.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { authToken, publicBaseUrl } from './signed.ts'

export const sid = `CA${'0'.repeat(31)}1`
export const caller = '+15550100177'
export const ours = '+15550100200'
/** Of a call that comes in. */
export const fields = { CallSid: sid, From: caller, To: ours, CallStatus: 'ringing', Direction: 'inbound' }

/** As a file would have it. */
export function businessWith(choice: Readonly<Record<string, unknown>> = {}): Business {
  const defaults = {
    file: undefined,
    name: 'Dentist',
    phone: undefined,
    ownerPhone: undefined,
    engine: 'scripted',
  } as const
  const judged = judgeChoice({ name: 'Dentist', numbers: [ours], ...choice }, defaults)
  if ('problems' in judged) throw new Error(judged.problems.join('; '))
  return judged.business
}

interface HouseOptions {
  readonly businesses?: readonly Business[]
  readonly host?: string | undefined
}

/** What the webhooks of calls need, with one business or several; the first of them is the standard one. */
export function callHouse({ businesses = [businessWith()], ...options }: HouseOptions = {}) {
  const clock = new VirtualClock()
  const events: CallEvent[] = []
  const state = { accepting: true }
  const host = 'host' in options ? options.host : 'sip.example.com'
  const tokens = new LegTokens({ authToken, sipDomain: host ?? '', clock })
  const house: CallHouse = {
    businesses: () => ({
      standard: businesses[0]!,
      find: id => businesses.find(each => each.id === id),
      withNumber: number => businesses.find(({ numbers }) => numbers.includes(number)),
    }),
    tell: event => events.push(event),
    kept: async () => {},
    ...{ clock, tokens, publicBaseUrl, log: createLog('silent') },
    accepting: () => state.accepting,
    lone: () => businesses.length === 1,
    agent: { user: 'bianca', host, port: 5_061 },
  }
  return { house, clock, events, state, tokens }
}

/** The TwiML that is answered; Twilio can do all of it. */
export async function twimlBy(
  webhook: Webhook,
  sent: Readonly<Record<string, string>>,
  query: Readonly<Record<string, string>> = {},
): Promise<string> {
  const answer = await webhook.answer({ query, fields: sent })
  if (answer.kind !== 'twiml') throw new Error(`no TwiML: ${JSON.stringify(answer)}`)
  expect(judgeTwiml(answer.xml).problems).toEqual([])
  return answer.xml.replace('<?xml version="1.0" encoding="UTF-8"?>', '')
}
