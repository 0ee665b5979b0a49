import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressOf, webhooksFor } from '../../src/twilio/paths.ts'
import { twimlOf } from '../../src/twilio/twiml.ts'
import { elementsOf, readXml, textOf } from '../../src/twilio/xml.ts'
import { judgeTwiml } from '../support/twiml-judge.ts'

const base = 'https://parley.example.com'
const action = addressOf(base, '/v1/twilio/dial-result', { record: 'CA1', after: 'forward' })
const way = { callerId: '+15550100177', ringSeconds: 20, action }
const voice = 'Polly.Joanna'
const written = 'https://parley.example.com/v1/twilio/dial-result?record=CA1&amp;after=forward'

const sayings = [
  [
    {
      kind: 'agent',
      welcome: 'One moment.',
      voice,
      dial: { ...way, sip: 'sip:a@b', maxSeconds: 60, answerOnBridge: true },
    },
    `<Say voice="Polly.Joanna">One moment.</Say><Dial callerId="+15550100177" timeout="20" action="${written}" timeLimit="60" answerOnBridge="true"><Sip>sip:a@b</Sip></Dial>`,
  ],
  [
    {
      kind: 'agent',
      welcome: '',
      voice,
      dial: { ...way, callerId: '', sip: 'sip:a@b', maxSeconds: 60, answerOnBridge: false },
    },
    `<Dial timeout="20" action="${written}" timeLimit="60" answerOnBridge="false"><Sip>sip:a@b</Sip></Dial>`,
  ],
  [
    { kind: 'forward', number: '+15550100200', ...way },
    `<Dial callerId="+15550100177" timeout="20" action="${written}"><Number>+15550100200</Number></Dial>`,
  ],
  [
    { kind: 'transfer', to: { sip: 'sip:2000@pbx.example.com:5060;transport=udp' }, answerOnBridge: true, ...way },
    `<Dial callerId="+15550100177" timeout="20" action="${written}" answerOnBridge="true"><Sip>sip:2000@pbx.example.com:5060;transport=udp</Sip></Dial>`,
  ],
  [
    { kind: 'transfer', to: { number: '+15550100200' }, answerOnBridge: true, ...way },
    `<Dial callerId="+15550100177" timeout="20" action="${written}" answerOnBridge="true"><Number>+15550100200</Number></Dial>`,
  ],
  [
    { kind: 'record', greeting: 'After the tone.', voice, seconds: 30, action, statusCallback: action },
    `<Say voice="Polly.Joanna">After the tone.</Say><Record maxLength="30" playBeep="true" finishOnKey="#" trim="do-not-trim" action="${written}" recordingStatusCallback="${written}" recordingStatusCallbackEvent="completed absent"/>`,
  ],
  [{ kind: 'say', text: 'Goodbye.', voice }, '<Say voice="Polly.Joanna">Goodbye.</Say><Hangup/>'],
  [{ kind: 'reject', reason: 'busy' }, '<Reject reason="busy"/>'],
  [{ kind: 'hangUp' }, '<Hangup/>'],
  [{ kind: 'reply', text: 'a < b & c' }, '<Message>a &lt; b &amp; c</Message>'],
] as const

describe('TwiML', () => {
  it.each(sayings)('says %j', (spoken, xml) => {
    const written = twimlOf(spoken)
    expect(written).toBe(`<?xml version="1.0" encoding="UTF-8"?><Response>${xml}</Response>`)
    expect(judgeTwiml(written, spoken.kind === 'reply' ? 'message' : 'call').problems).toEqual([])
  })

  it('says nothing', () => {
    expect(twimlOf({ kind: 'nothing' })).toBe('<?xml version="1.0" encoding="UTF-8"?><Response/>')
  })

  it('holds any text as text: none is a tag, and what XML cannot hold is left out', () => {
    const holds = (text: string) =>
      text.toWellFormed().replace(/[^\t\n\r -\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        const [message] = elementsOf(readXml(twimlOf({ kind: 'reply', text })))
        expect(textOf(message!)).toBe(holds(text))
        const said = twimlOf({ kind: 'say', text, voice })
        expect(judgeTwiml(said).problems).toEqual([])
      }),
    )
  })
})

describe('addresses that Twilio is given', () => {
  it('are the public one, with what must come back', () => {
    expect(addressOf(base, '/v1/twilio/status')).toBe(`${base}/v1/twilio/status`)
    expect(addressOf(base, '/v1/twilio/transfer', { destination: 'Front Desk & Co' })).toBe(
      `${base}/v1/twilio/transfer?destination=Front%20Desk%20%26%20Co`,
    )
  })

  it('come back as they were, whatever stands in them', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ minLength: 1 }), fc.string({ unit: 'binary' })), query => {
        const told = Object.fromEntries(new URL(addressOf(base, '/v1/twilio/call', query)).searchParams)
        expect(told).toEqual(
          Object.fromEntries(Object.entries(query).map(([name, text]) => [name, text.toWellFormed()])),
        )
      }),
    )
  })

  it('are what a number of the account has', () => {
    expect(webhooksFor(base)).toEqual({
      ...{ voiceUrl: `${base}/v1/twilio/call`, voiceMethod: 'POST' },
      ...{ voiceFallbackUrl: `${base}/v1/twilio/call`, voiceFallbackMethod: 'POST' },
      ...{ statusCallback: `${base}/v1/twilio/status`, statusCallbackMethod: 'POST' },
      ...{ smsUrl: `${base}/v1/twilio/sms`, smsMethod: 'POST' },
    })
  })
})
