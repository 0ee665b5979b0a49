import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dialResultWebhook } from '../../src/twilio/dial-result.ts'
import { callWebhook } from '../../src/twilio/reception.ts'
import { businessWith, caller, callHouse, fields, ours, sid, twimlBy } from './call-house.ts'
import { publicBaseUrl } from './signed.ts'

const forward = { kind: 'forward', number: '+15550100900' }
const url = (path: string) => `${publicBaseUrl}/v1/twilio/${path}`
const recordTo = (path: string) =>
  `<Response><Say voice="Polly.Joanna">Please leave a message after the tone.</Say><Record maxLength="30" playBeep="true" finishOnKey="#" trim="do-not-trim" action="${url(path)}?business=dentist" recordingStatusCallback="${url(path)}?business=dentist" recordingStatusCallbackEvent="completed absent"/></Response>`
const excused =
  '<Response><Say voice="Polly.Joanna">We cannot take your call at the moment. Please call again later.</Say><Hangup/></Response>'
const forwarded = `<Response><Dial callerId="${caller}" timeout="20" action="${url('dial-result')}?business=dentist&amp;after=forward"><Number>+15550100900</Number></Dial></Response>`

/** The house answers, and what of it is of the agent's address. */
async function call(options: Parameters<typeof callHouse>[0], query: Record<string, string> = {}, sent = {}) {
  const parts = callHouse(options)
  const xml = await twimlBy(callWebhook(parts.house), { ...fields, ...sent }, query)
  const [, sip = ''] = /<Sip>(.*)<\/Sip>/.exec(xml) ?? []
  return { ...parts, xml, sip: sip.replaceAll('&amp;', '&') }
}

describe('a call that comes in', () => {
  it('is led to the agent with all that is known of it, in both forms, and with a token that is right', async () => {
    const telephone = {
      welcome: 'One moment, please.',
      context: ['patientId', 'ref'],
      ringSeconds: 25,
      maxSeconds: 600,
    }
    const query = { patientId: '4711', ref: 'a;b', secret: 'x' }
    const { xml, sip, events, tokens } = await call({ businesses: [businessWith({ telephone })] }, query)
    expect(xml.replace(/<Sip>.*<\/Sip>/, '<Sip/>')).toBe(
      `<Response><Say voice="Polly.Joanna">One moment, please.</Say><Dial callerId="${caller}" timeout="25" action="${url('dial-result')}?business=dentist" timeLimit="600" answerOnBridge="true"><Sip/></Dial></Response>`,
    )
    const [, token = ''] = /;token=([^;?]*)/.exec(sip) ?? []
    expect(sip).toBe(
      `sip:bianca@sip.example.com:5061;transport=tcp;token=${token};callSid=${sid};business=dentist;called=%2B15550100200;patientId=4711;ref=a%3Bb?X-token=${token}&X-callSid=${sid}&X-business=dentist&X-called=%2B15550100200&X-patientId=4711&X-ref=a%3Bb`,
    )
    expect(tokens.take(token, { record: sid, business: 'dentist' })).toBeUndefined()
    expect(events).toMatchObject([
      {
        ...{ call: sid, business: 'dentist' },
        fact: {
          ...{ name: 'announced', verdict: 'agent' },
          private: { callerNumber: caller, calledNumber: ours, parameters: { patientId: '4711', ref: 'a;b' } },
        },
      },
    ])
  })

  it('that Parley has made is of whoever called, without a welcome, under its own name', async () => {
    const telephone = { welcome: 'One moment, please.' }
    const made = { From: ours, To: caller, Direction: 'outbound-api' }
    const { xml, sip, events, tokens } = await call(
      { businesses: [businessWith({ telephone })] },
      { record: 'out-1' },
      made,
    )
    expect(xml).not.toContain('<Say')
    expect(xml).toContain(`callerId="${caller}"`)
    expect(xml).toContain('dial-result?business=dentist&amp;record=out-1"')
    expect(sip).toContain(`;callSid=${sid};record=out-1;business=dentist`)
    const [, token = ''] = /;token=([^;?]*)/.exec(sip) ?? []
    expect(tokens.take(token, { record: 'out-1', business: 'dentist' })).toBeUndefined()
    expect(events).toMatchObject([{ call: 'out-1', fact: { private: { callerNumber: caller, calledNumber: ours } } }])
  })

  it('of somebody whom Parley has called has in its address what matters most to the business, too', async () => {
    const listing = businessWith({ telephone: { context: ['patientId', 'campaign'] } })
    // As a database keeps it: the shorter name first.
    const given = { record: 'out-1', campaign: 'z'.repeat(200), patientId: '4711', since: 'May' }
    const { sip } = await call({ businesses: [listing] }, given, { From: ours, To: caller, Direction: 'outbound-api' })
    expect(sip).toContain(';patientId=4711;since=May?')
    expect(sip).toMatch(/&X-patientId=4711&X-campaign=z{200}&X-since=May$/)
  })

  const plumber = businessWith({ id: 'plumber', numbers: ['+15550100201'] })
  // It is Monday.
  const hours = { thursday: [{ from: '09:00', to: '10:00' }] }
  it.each([
    [
      'to nobody',
      [businessWith(), plumber],
      { To: '+15550100999' },
      '<Response><Reject reason="rejected"/></Response>',
      'reject',
    ],
    ['for one that is not active', [businessWith({ active: false })], {}, excused, 'excuse'],
    [
      'outside of the hours',
      [businessWith({ hours, telephone: { closed: { kind: 'excuse' } } })],
      {},
      excused,
      'excuse',
    ],
    [
      'outside of the hours, with another telephone',
      [businessWith({ hours, telephone: { closed: forward } })],
      {},
      forwarded,
      'forward',
    ],
    [
      'where callers are recorded',
      [businessWith({ telephone: { reception: 'record' } })],
      {},
      recordTo('recording'),
      'record',
    ],
  ] as const)('%s hears what there is instead', async (_, businesses, sent, expected, verdict) => {
    const { xml, events } = await call({ businesses }, {}, sent)
    expect(xml).toBe(expected)
    expect(events).toMatchObject([{ fact: { name: 'announced', verdict } }])
  })

  it('to whatever number reaches the only business, and to a number the one that has it', async () => {
    expect((await call({}, {}, { To: '+15550100999' })).sip).toContain(';business=dentist;')
    const businesses = [businessWith(), plumber]
    expect((await call({ businesses }, {}, { To: '+15550100201' })).sip).toContain(';business=plumber;')
    expect((await call({ businesses }, { business: 'plumber' }, { To: '+1' })).sip).toContain(';business=plumber;')
  })

  it.each([
    [{}, recordTo('voicemail')],
    [{ fallback: { kind: 'excuse' } }, excused],
    [{ fallback: forward }, forwarded],
  ])('that no agent can take has the fallback: %j', async (telephone, expected) => {
    const parts = callHouse({ businesses: [businessWith({ telephone })] })
    parts.state.accepting = false
    expect(await twimlBy(callWebhook(parts.house), fields)).toBe(expected)
    const nowhere = callHouse({ businesses: [businessWith({ telephone })], host: undefined })
    expect(await twimlBy(callWebhook(nowhere.house), fields)).toBe(expected)
  })

  it('keeps a number that is withheld to itself', async () => {
    const { xml } = await call({}, {}, { From: 'anonymous' })
    expect(xml).toContain('<Dial timeout=')
  })

  it('leaves out of the address what has no room in it, and keeps it in the record', async () => {
    const context = Array.from({ length: 20 }, (_, place) => `name${place}`)
    const query = Object.fromEntries(context.map(name => [name, 'x'.repeat(300)]))
    const { sip, events } = await call({ businesses: [businessWith({ telephone: { context } })] }, query)
    expect(sip).not.toContain('name19')
    const { fact } = events[0]!
    const parameters = fact.name === 'announced' ? fact.private.parameters : {}
    expect(Object.values(parameters).map(value => value.length)).toEqual(Array(20).fill(200))
  })
})

describe('the way to the agent that is over', () => {
  const over = (status: string, telephone: object, query = {}, sent = {}) => {
    const parts = callHouse({ businesses: [businessWith({ telephone })] })
    const told = { ...fields, DialCallStatus: status, DialCallSid: `CA${'0'.repeat(31)}2`, ...sent }
    return { ...parts, xml: twimlBy(dialResultWebhook(parts.house), told, query) }
  }

  it.each(['completed', 'answered', 'canceled'])(
    'because they have talked or the caller has gone (%s) is the end',
    async status => {
      expect(await over(status, {}).xml).toBe('<Response><Hangup/></Response>')
    },
  )

  it.each(['busy', 'no-answer', 'failed', 'toString', ''])(
    'because nobody took the call (%s) leads to the fallback',
    async status => {
      expect(await over(status, {}).xml).toBe(recordTo('voicemail'))
      expect(await over(status, { fallback: { kind: 'excuse' } }).xml).toBe(excused)
      expect(await over(status, { fallback: forward }).xml).toBe(forwarded)
    },
  )

  it('to somebody whom a caller was forwarded to leads to the voicemail, not to them again', async () => {
    expect(await over('busy', { fallback: forward }, { after: 'forward' }).xml).toBe(recordTo('voicemail'))
    expect(await over('busy', { fallback: { kind: 'excuse' }, closed: forward }, { after: 'forward' }).xml).toBe(
      excused,
    )
  })

  it('of a call that Parley has made is the end', async () => {
    const made = { From: ours, To: caller, Direction: 'outbound-api' }
    expect(await over('busy', {}, { record: 'out-1' }, made).xml).toBe('<Response><Hangup/></Response>')
  })

  it('is told as Twilio tells it', async () => {
    const { xml, events } = over('busy', {}, {}, { DialSipResponseCode: '486', DialCallDuration: '0' })
    await xml
    expect(events).toMatchObject([
      {
        call: sid,
        business: 'dentist',
        fact: { name: 'wayEnded', status: 'busy', sipStatus: 486, seconds: 0, next: 'voicemail' },
      },
    ])
  })
})

it('whatever Twilio may ask about a call, it is told something that it can do', async () => {
  const names = fc.constantFrom(
    ...Object.keys(fields),
    'DialCallStatus',
    'DialSipResponseCode',
    'DialCallSid',
    'SipDomain',
    '__proto__',
  )
  const asked = fc.constantFrom('business', 'record', 'after', 'patientId', 'again', 'test', 'token', 'constructor')
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom(
      sid,
      caller,
      ours,
      'busy',
      'completed',
      'outbound-api',
      'dentist',
      'out-1',
      ']]><Say>',
      '"/><Dial>',
    ),
  )
  const decisions = [{}, { fallback: forward }, { fallback: { kind: 'excuse' } }, { reception: 'record' }]
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(names, texts),
      fc.dictionary(asked, texts),
      fc.constantFrom(...decisions),
      fc.boolean(),
      async (sent, query, telephone, whole) => {
        const { house } = callHouse({ businesses: [businessWith({ telephone })] })
        for (const webhook of [callWebhook(house), dialResultWebhook(house)]) {
          const xml = await twimlBy(webhook, whole ? { ...fields, ...sent } : sent, query)
          expect(xml).toMatch(/^<Response>(<Say [^<]*<\/Say>)?<(Dial|Record|Hangup|Reject)[ >/].*<\/Response>$/s)
          const [, sip] = /<Sip>([^<]*)<\/Sip>/.exec(xml) ?? []
          if (sip === undefined) continue
          const [address = '', headers = ''] = sip.replaceAll('&amp;', '&').split('?')
          expect(address).toMatch(/^sip:bianca@sip\.example\.com:5061;transport=tcp(;[\w-]+=[\w%.-]*)*$/)
          expect(headers).toMatch(/^X-[\w-]+=[\w%.-]*(&X-[\w-]+=[\w%.-]*)*$/)
          expect([address.length < 255, headers.length < 1_024]).toEqual([true, true])
        }
      },
    ),
  )
})
