import { describe, expect, it } from 'vitest'
import { judgeChoice } from '../src/business.ts'

const defaults = {
  file: undefined,
  name: 'Parley',
  phone: undefined,
  ownerPhone: undefined,
  engine: 'scripted' as const,
}

function judged(choice: object) {
  return judgeChoice({ name: 'Dentist', ...choice }, defaults)
}

function problemsOf(choice: object): string {
  const answer = judged(choice)
  return 'problems' in answer ? answer.problems.join('\n') : ''
}

describe("a business's telephone", () => {
  it('has a default for everything: the agent at any time, and a voicemail when it is not reached', () => {
    const { telephone, texts, outbound } = (judged({}) as Extract<ReturnType<typeof judged>, { business: unknown }>)
      .business
    expect(telephone).toMatchObject({
      reception: 'agent',
      welcome: '',
      voice: 'Polly.Joanna',
      ringSeconds: 20,
      maxSeconds: 14_400,
      context: ['patientId'],
      fallback: { kind: 'voicemail' },
      closed: 'agent',
      recordSeconds: 30,
    })
    expect(texts).toMatchObject({ enabled: true, stopped: expect.stringContaining('START') })
    expect(outbound).toMatchObject({ enabled: false, hours: { from: '09:00', to: '20:00' }, attempts: 3 })
  })

  it('takes what is chosen', () => {
    const choice = {
      telephone: {
        reception: 'record',
        welcome: 'One moment, please.',
        voice: 'Polly.Amy-Neural',
        answerOnBridge: false,
        context: ['patientId', 'campaign'],
        fallback: { kind: 'forward', number: '+15550100300' },
        closed: { kind: 'excuse' },
      },
      texts: { help: 'Call us.', whatsappNumber: '+15550100301', whatsappTemplate: `HX${'a'.repeat(32)}` },
      outbound: {
        enabled: true,
        to: ['+1555'],
        callerId: '+15550100200',
        days: 'everyDay',
        voicemail: 'Please call us back.',
      },
    }
    expect(judged(choice)).toMatchObject({ business: choice })
  })

  it.each([
    [{ telephone: { voice: 'Polly Joanna' } }, 'telephone.voice: must be a voice'],
    [{ telephone: { voice: '"/><Hangup/>' } }, 'telephone.voice: must be a voice'],
    [{ telephone: { context: ['callSid'] } }, 'telephone.context.0: must not be a name with a meaning of its own'],
    [{ telephone: { context: ['Destination'] } }, 'telephone.context.0: must not be a name with a meaning of its own'],
    [{ telephone: { context: ['attempt'] } }, 'telephone.context.0: must not be a name with a meaning of its own'],
    [{ telephone: { context: ['a;b'] } }, 'telephone.context.0: may hold only'],
    [{ telephone: { fallback: { kind: 'forward' } } }, 'telephone.fallback.number'],
    [{ telephone: { ringSeconds: 4 } }, 'telephone.ringSeconds'],
    [{ telephone: { recordSeconds: 121 } }, 'telephone.recordSeconds'],
    [{ telephone: { greeting: 'Hello' } }, 'greeting'],
    [{ texts: { whatsappTemplate: 'hello_world' } }, 'texts.whatsappTemplate: must be a ContentSid'],
    [{ outbound: { hours: { from: '20:00', to: '09:00' } } }, 'outbound.hours: must begin before they end'],
    [{ outbound: { attempts: 6 } }, 'outbound.attempts'],
    [{ outbound: { enabled: true } }, 'outbound.to: must say how the numbers begin'],
    [{ outbound: { enabled: true, to: ['44'] } }, 'outbound.to.0: must be how numbers begin'],
    [{ outbound: { callerId: '555' } }, 'outbound.callerId: must be a telephone number'],
  ])('says what is wrong: %j', (choice, words) => {
    expect(problemsOf(choice)).toContain(words)
  })
})
