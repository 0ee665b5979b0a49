import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redirector } from '../../src/twilio/redirecting.ts'
import type { FindCarrierRoute } from '../../src/twilio/transfer.ts'
import { transferWebhook } from '../../src/twilio/transfer.ts'
import { outcomeOf, transferStatusWebhook } from '../../src/twilio/transfer-status.ts'
import { businessWith, caller, callHouse, fields, ours, sid, twimlBy } from './call-house.ts'
import { publicBaseUrl } from './signed.ts'

const extension = { sip: 'sip:2000@pbx.example.com:5060;transport=tcp' }
const dialled = `CA${'0'.repeat(31)}2`

function house(options: Parameters<typeof callHouse>[0] = {}) {
  const parts = callHouse(options)
  const route: FindCarrierRoute = (_, asked, callerNumber) => {
    if (asked === 'desk' || asked === '2000')
      return { to: extension, callerId: callerNumber, ringSeconds: 30, destination: 'desk' }
    if (asked === 'mobile')
      return { to: { number: '+15550100900' }, callerId: '', ringSeconds: 20, destination: 'mobile' }
    return undefined
  }
  return { ...parts, house: { ...parts.house, route } }
}

const actionOf = (xml: string) => (/ action="([^"]*)"/.exec(xml)?.[1] ?? '').replaceAll('&amp;', '&')

const status = `${publicBaseUrl}/v1/twilio/transfer-status?business=dentist`

describe('a transfer by Twilio', () => {
  it('dials a destination of the business, and asks back with what must be known then', async () => {
    const { house: twilio, clock, events } = house()
    const query = { destination: 'desk', attempt: '2', patientId: '4711' }
    const more = `&amp;attempt=2&amp;beganMs=${clock.wallMs()}&amp;patientId=4711`
    expect(await twimlBy(transferWebhook(twilio), fields, query)).toBe(
      `<Response><Dial callerId="${caller}" timeout="30" action="${status}${more}" answerOnBridge="true"><Sip>${extension.sip}</Sip></Dial></Response>`,
    )
    expect(events).toEqual([])
  })

  it('of somebody whom Parley has called tells the agent nothing of how it was asked for', async () => {
    const { house: twilio } = house()
    const outward = { ...fields, From: ours, To: caller, Direction: 'outbound-api' }
    const query = { record: 'out-1', business: 'dentist', destination: 'desk', attempt: '1', patientId: '4711' }
    const asked = new URL(actionOf(await twimlBy(transferWebhook(twilio), outward, query))).searchParams
    const told = { ...outward, DialCallSid: dialled, DialCallStatus: 'busy' }
    const back = await twimlBy(transferStatusWebhook(twilio), told, Object.fromEntries(asked))
    expect(back).toContain(';record=out-1;again=busy;business=dentist;called=%2B15550100200;patientId=4711?')
  })

  it('to a telephone number is called by a number of ours', async () => {
    const xml = await twimlBy(transferWebhook(house().house), fields, { destination: 'mobile', attempt: '1' })
    expect(xml).toContain(`<Dial callerId="${ours}" timeout="20"`)
    expect(xml).toContain('<Number>+15550100900</Number>')
  })

  it.each([
    ['query', { extension: '2000' }, {}],
    ['form', {}, { extension: '2000' }],
  ] as const)(
    'is taken from another system, which names an extension by its %s: nobody else has told of it',
    async (_, query, form) => {
      const { house: twilio, events } = house()
      expect(await twimlBy(transferWebhook(twilio), { ...fields, ...form }, query)).toContain(extension.sip)
      expect(events).toMatchObject([
        { call: sid, fact: { name: 'transferBegan', attempt: 1, destination: 'desk', mode: 'blind', by: 'operator' } },
      ])
    },
  )

  it('leads nowhere else: whoever is to be connected with anything else has the agent again', async () => {
    const { house: twilio, tokens } = house()
    for (const extension of ['+19005550100', 'sip:x@evil.example.com', '', '2001']) {
      const xml = await twimlBy(transferWebhook(twilio), fields, { extension })
      const [, token = ''] = /;token=([^;?]*)/.exec(xml) ?? []
      expect(xml).toContain(';again=failed;')
      expect(tokens.take(token, { record: sid, business: 'dentist', again: 'failed' })).toBeUndefined()
    }
  })
})

describe('a transfer by Twilio that is over', () => {
  const over = (told: Record<string, string>, query = {}) => {
    const parts = house({ businesses: [businessWith({ telephone: { welcome: 'One moment.' } })] })
    const beganMs = String(parts.clock.wallMs() - 70_000)
    const asked = { attempt: '2', beganMs, patientId: '4711', ...query }
    const xml = twimlBy(transferStatusWebhook(parts.house), { ...fields, DialCallSid: dialled, ...told }, asked)
    return { ...parts, xml }
  }

  it('because they have talked is the end, and was settled when they began to', async () => {
    const { xml, events, clock } = over({ DialCallStatus: 'completed', DialCallDuration: '60' })
    expect(await xml).toBe('<Response><Hangup/></Response>')
    expect(events).toEqual([
      {
        ...{ call: sid, business: 'dentist', atMs: clock.wallMs() - 60_000 },
        fact: { name: 'transferAnswered', attempt: 2, afterMs: 10_000 },
      },
      {
        ...{ call: sid, business: 'dentist', atMs: clock.wallMs() - 60_000 },
        fact: { name: 'transferEnded', attempt: 2, outcome: 'connected', tookMs: 10_000 },
      },
    ])
  })

  it.each([
    ['busy', '486', 'busy'],
    ['no-answer', '480', 'noAnswer'],
    ['failed', '603', 'rejected'],
    ['failed', '403', 'rejected'],
    ['failed', '404', 'unreachable'],
    ['failed', '', 'unreachable'],
  ])('with %s (%s) brings the caller back to the agent, who knows: %s', async (said, code, outcome) => {
    const { xml, events, tokens } = over({ DialCallStatus: said, DialSipResponseCode: code })
    const written = await xml
    expect(written).not.toContain('<Say')
    expect(written).toContain(`;callSid=${sid};again=${outcome};business=dentist;called=%2B15550100200;patientId=4711?`)
    const [, token = ''] = /;token=([^;?]*)/.exec(written) ?? []
    expect(tokens.take(token, { record: sid, business: 'dentist', again: outcome })).toBeUndefined()
    expect(events).toMatchObject([{ fact: { name: 'transferEnded', attempt: 2, outcome, tookMs: 70_000 } }])
  })

  it('with a caller who has gone is the end', async () => {
    const { xml, events } = over({ DialCallStatus: 'canceled' })
    expect(await xml).toBe('<Response><Hangup/></Response>')
    expect(events).toMatchObject([{ fact: { outcome: 'callerGone' } }])
  })

  it('when no agent can take them leads to the fallback', async () => {
    const parts = house({ businesses: [businessWith({ telephone: { fallback: { kind: 'excuse' } } })] })
    parts.state.accepting = false
    const told = { ...fields, DialCallStatus: 'busy', DialCallSid: dialled }
    expect(await twimlBy(transferStatusWebhook(parts.house), told)).toContain('<Say')
  })
})

it('whatever Twilio may ask about a transfer, it is told something that it can do', async () => {
  const names = fc.constantFrom(
    ...Object.keys(fields),
    'DialCallStatus',
    'DialSipResponseCode',
    'DialCallDuration',
    'extension',
  )
  const asked = fc.constantFrom('business', 'record', 'destination', 'attempt', 'beganMs', 'extension', 'patientId')
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(sid, caller, ours, 'busy', 'completed', 'desk', 'mobile', '2000', '-1', '9'.repeat(30)),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(names, texts),
      fc.dictionary(asked, texts),
      fc.boolean(),
      async (sent, query, whole) => {
        const { house: twilio, events } = house()
        expect(outcomeOf(sent)).toMatch(/^[a-zA-Z]+$/)
        for (const webhook of [transferWebhook(twilio), transferStatusWebhook(twilio)]) {
          const xml = await twimlBy(webhook, whole ? { ...fields, ...sent } : sent, query)
          expect(xml).toMatch(/^<Response>(<Say [^<]*<\/Say>)?<(Dial|Hangup)[ >/].*<\/Response>$/s)
        }
        for (const { atMs, fact } of events) {
          expect(Number.isSafeInteger(atMs)).toBe(true)
          if (fact.name === 'transferEnded') expect(Number.isSafeInteger(fact.tookMs) && fact.tookMs >= 0).toBe(true)
        }
      },
    ),
  )
})

it('is asked of Twilio with all that must be known when it asks back', async () => {
  const asked: string[][] = []
  const redirect = redirector({ publicBaseUrl }, { redirect: async (callSid, url) => void asked.push([callSid, url]) })
  const facts = {
    ...{ calledUser: 'bianca', requestUri: '', callerNumber: caller, law: 'ulaw' as const },
    parameters: { callSid: sid, patientId: '47 11', token: 'spent' },
    headers: {},
  }
  const wish = { facts, destination: 'Front Desk', business: businessWith(), attempt: 2 }
  const { signal } = new AbortController()
  await redirect({ ...wish, record: sid }, signal)
  await redirect({ ...wish, record: 'out-1' }, signal)
  const url = `${publicBaseUrl}/v1/twilio/transfer?business=dentist&destination=Front%20Desk&attempt=2`
  expect(asked).toEqual([
    [sid, `${url}&patientId=47%2011`],
    [sid, `${url}&record=out-1&patientId=47%2011`],
  ])
})
