import { type Business, judgeChoice } from '../../src/business.ts'
import { type HookEvent, hookEvents } from '../../src/business-kept.ts'
import type { CallEvent, CallFact } from '../../src/call/events.ts'
import type { Hook } from '../../src/desk/hooks.ts'

const defaults = {
  ...{ file: undefined, name: 'Dentist', phone: undefined, ownerPhone: undefined },
  engine: 'scripted',
} as const

/** A business that tells these integrators. */
export function businessWith(...hooks: readonly Hook[]): Business {
  const judged = judgeChoice({ name: 'Dentist', id: 'dentist', hooks }, defaults)
  if ('problems' in judged) throw new Error(judged.problems.join())
  return judged.business
}

export const secretWords = 'my tooth hurts terribly'
export const callerNumber = '+15550100377'
export const hook: Hook = {
  ...{ name: 'crm', url: 'https://crm.example/hook', events: [...hookEvents], secret: 'TOOL_CRM' },
  ...{ private: false, enabled: true },
}

/** With everything that may be told of it: what is left out here would be left out of the guide. */
type Whole<Name extends CallFact['name']> = Required<Extract<CallFact, { name: Name }>>

const hidden = {
  callerNumber,
  calledUser: 'bianca',
  requestUri: 'sip:x',
  parameters: { plan: 'a' },
  headers: { via: 'x' },
}
/** The first channel of its call. */
export const offered: Omit<Whole<'offered'>, 'again'> = {
  ...{ name: 'offered', engine: 'scripted', codec: 'ulaw', partOf: 'CA1', outbound: true },
  private: hidden,
}
const recording = 'abcdefghijklmnopqrstuv'
const ended: Whole<'ended'> = { name: 'ended', reason: 'callerHungUp', durationMs: 90_000, answeredMs: 89_000 }
export const recordingEnded: Whole<'recordingEnded'> = {
  ...{ name: 'recordingEnded', recording, seconds: 9, why: 'callEnded', shedFrames: 0 },
}
const summarized: Whole<'summarized'> = {
  ...{ name: 'summarized', by: 'builtIn', urgency: 'soon' },
  private: { who: 'a patient', why: secretWords, outcome: 'hung up', followUp: 'call back' },
}
const messageTaken: Whole<'messageTaken'> = {
  ...{ name: 'messageTaken', urgent: true },
  private: { text: secretWords, callback: callerNumber, person: 'the doctor' },
}
const appointmentRequested: Whole<'appointmentRequested'> = {
  name: 'appointmentRequested',
  private: { date: '2026-01-05', time: '15:00', service: 'check-up', callback: callerNumber },
}
const voicemailLeft: Whole<'voicemailLeft'> = {
  ...{ name: 'voicemailLeft', seconds: 9, by: 'agent', ended: 'key' },
  private: { recording: 'v1', callerNumber },
}
const transcribed: Whole<'transcribed'> = {
  ...{ name: 'transcribed', recording: 'v1', by: 'builtIn' },
  private: { text: secretWords },
}
const converted: Whole<'recordingConverted'> = { name: 'recordingConverted', recording, bytes: 1_000 }
const connected: Whole<'transferEnded'> = { name: 'transferEnded', attempt: 1, outcome: 'connected', tookMs: 500 }

/** Every kind of news, and a fact that is such. */
export const newsFacts: Readonly<Record<HookEvent, CallFact>> = {
  'call.started': offered,
  'call.ended': ended,
  'call.summarized': summarized,
  'message.taken': messageTaken,
  'appointment.requested': appointmentRequested,
  'voicemail.left': voicemailLeft,
  'voicemail.transcribed': transcribed,
  'recording.ready': converted,
  'transfer.connected': connected,
  'transfer.failed': { ...connected, outcome: 'busy' },
}

export const atMs = Date.UTC(2026, 0, 5, 9)
export const eventOf = (fact: CallFact, more: Partial<CallEvent> = {}): CallEvent => ({
  ...{ call: 'c1', business: 'dentist', atMs, fact },
  ...more,
})

/** As the store tells it, under the name of the record. */
export function storyOf(...facts: readonly CallFact[]) {
  const events = facts.map((fact, index) => {
    const { name, ...rest } = fact
    const { private: hidden, ...details } = rest as Record<string, unknown>
    const told = { name, at: new Date(atMs), details, private: (hidden ?? null) as Record<string, unknown> | null }
    return { ...told, sequence: index + 1 }
  })
  return { id: 'CA1', events }
}
