import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dialledBy, verbsOf } from '../../src/twilio/dialled.ts'
import { sipAddress } from '../../src/twilio/sip-address.ts'
import { twimlOf } from '../../src/twilio/twiml.ts'

const way = { user: 'bianca', host: 'sip.example.com', port: 5061 }

function agent(sip: string): string {
  const dial = { callerId: '+15550100177', ringSeconds: 20, action: 'https://a.example/', sip, maxSeconds: 60 }
  return twimlOf({ kind: 'agent', welcome: '', voice: 'alice', dial: { ...dial, answerOnBridge: true } })
}

describe('whom TwiML has dialled', () => {
  it('is read as it was meant, whatever stands in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 30 }), value => {
        const { uri } = sipAddress({ ...way, carried: [['patientId', value]] })
        const carried = value.toWellFormed()
        expect(dialledBy(agent(uri))).toEqual({
          ...{ ...way, transport: 'tcp', callerId: '+15550100177' },
          ...{ parameters: { patientId: carried }, headers: { 'X-patientId': carried } },
        })
      }),
    )
  })

  it('is nobody where nobody is, and then told is what comes instead', () => {
    for (const [spoken, words] of [
      [{ kind: 'reject', reason: 'busy' }, 'Reject busy'],
      [{ kind: 'say', text: 'Goodbye', voice: 'alice' }, 'Say, Hangup'],
      [{ kind: 'nothing' }, ''],
    ] as const) {
      const twiml = twimlOf(spoken)
      expect([dialledBy(twiml), verbsOf(twiml)]).toEqual([undefined, words])
    }
  })

  it.each([
    ['no XML', 'Not found'],
    ['another document', '<html></html>'],
    ['no address', agent('bianca')],
    ['another transport', agent('sip:a@b.example;transport=tls')],
    ['an address that was cut off', agent('sip:a@b.example;x=%E')],
  ])('is refused of %s', (_, twiml) => {
    expect(() => dialledBy(twiml)).toThrow()
  })
})
