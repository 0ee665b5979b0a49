import { describe, expect, it } from 'vitest'
import { type Business, judgeChoice } from '../src/business.ts'

const environment: Record<string, string> = {
  ...{
    TOOL_HOOK: 'a secret that is long enough',
    TOOL_SHORT: 'a secret',
    TOOL_HALF: 'a secret that is long enough, short',
  },
  TOOL_BASE: 'whsec_no base64 of any length',
}
const defaults = {
  ...{ file: undefined, name: 'Parley', phone: undefined, ownerPhone: undefined, engine: 'scripted' as const },
  environment,
}

const judged = (choice: object) => judgeChoice({ name: 'Dentist', ...choice }, defaults)

function businessOf(choice: object): Business {
  const answer = judged(choice)
  if ('problems' in answer) throw new Error(answer.problems.join())
  return answer.business
}

function problemsOf(choice: object): string {
  const answer = judged(choice)
  return 'problems' in answer ? answer.problems.join('\n') : ''
}

describe('what a business keeps of its calls', () => {
  it('has a default for everything: nobody is recorded, answered or told', () => {
    expect(businessOf({})).toMatchObject({
      recording: { enabled: false, announcement: 'This call is recorded.', days: 90 },
      voicemail: { maxSeconds: 120, silenceSeconds: 5, key: '#', onFailure: true, days: 365 },
      digests: { transcribe: true, summarize: true },
      answers: { enabled: false, by: ['whatsapp', 'sms'] },
      hooks: [],
    })
  })

  it('takes what is chosen', () => {
    const hook = { name: 'crm', url: 'https://crm.example.com/parley', secret: 'TOOL_HOOK' }
    const chosen = {
      recording: { enabled: true, announcement: 'We record.', days: 7 },
      voicemail: { key: '*', silenceSeconds: 2, maxSeconds: 600 },
      answers: { enabled: true, by: ['sms'], instructions: 'Ask for the date of birth.' },
      hooks: [{ ...hook, events: ['voicemail.left'], private: true }],
    }
    expect(businessOf(chosen)).toMatchObject(chosen)
    expect(businessOf({ hooks: [hook] }).hooks[0]).toMatchObject({ private: false, enabled: true })
    expect(businessOf({ hooks: [hook] }).hooks[0]?.events).toContain('call.started')
  })

  it.each([
    [{ recording: { enabled: true, announcement: '' } }, 'recording.announcement'],
    [{ recording: { days: 0 } }, 'recording.days'],
    [{ voicemail: { maxSeconds: 601 } }, 'voicemail.maxSeconds'],
    [{ voicemail: { key: '5' } }, 'voicemail.key'],
    [{ voicemail: { silenceSeconds: 1 } }, 'voicemail.silenceSeconds'],
    [{ answers: { by: [] } }, 'answers.by'],
    [{ digests: { transcribe: 'yes' } }, 'digests.transcribe'],
    [{ hooks: [{ name: 'crm', url: 'ftp://x.example.com', secret: 'TOOL_HOOK' }] }, 'hooks.0.url'],
    [{ hooks: [{ name: 'crm', url: 'https://x.example.com', secret: 'HOOK' }] }, 'begins with TOOL_'],
    [{ hooks: [{ name: 'crm', url: 'https://x.example.com', secret: 'TOOL_HOOK', events: ['x'] }] }, 'hooks.0.events'],
    [{ hooks: [{ name: 'crm', url: 'https://x.example.com', secret: 'TOOL_NONE' }] }, 'TOOL_NONE'],
    [
      { hooks: [{ name: 'crm', url: 'https://x.example.com', secret: 'TOOL_SHORT' }] },
      'TOOL_SHORT must hold a secret of 24',
    ],
    [
      { hooks: [{ name: 'crm', url: 'https://x.example.com', secret: 'TOOL_HALF' }] },
      'TOOL_HALF must hold a secret of 24',
    ],
    [
      { hooks: [{ name: 'crm', url: 'https://x.example.com', secret: 'TOOL_BASE' }] },
      'TOOL_BASE must hold a secret of 24',
    ],
    [{ hooks: [{ name: 'crm', url: 'https://me:word@x.example.com', secret: 'TOOL_HOOK' }] }, 'holds a password'],
    [
      { hooks: [1, 2].map(() => ({ name: 'crm', url: 'https://x.example.com', secret: 'TOOL_HOOK' })) },
      'must have different names',
    ],
  ])('says what is wrong with %j', (choice, words) => {
    expect(problemsOf(choice)).toContain(words)
  })
})
