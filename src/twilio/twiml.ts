import MessagingResponse from 'twilio/lib/twiml/MessagingResponse.js'
import VoiceResponse from 'twilio/lib/twiml/VoiceResponse.js'

/** What Twilio is told to do with a caller, or to answer to a message. */
export type Spoken =
  | { readonly kind: 'agent'; readonly welcome: string; readonly voice: string; readonly dial: AgentDial }
  | ({ readonly kind: 'forward'; readonly number: string } & Way)
  | ({
      readonly kind: 'transfer'
      readonly to: { readonly sip: string } | { readonly number: string }
      readonly answerOnBridge: boolean
    } & Way)
  | {
      readonly kind: 'record'
      readonly greeting: string
      readonly voice: string
      readonly seconds: number
      readonly action: string
      readonly statusCallback: string
    }
  /** And the call is over. */
  | { readonly kind: 'say'; readonly text: string; readonly voice: string }
  | { readonly kind: 'reject'; readonly reason: 'busy' | 'rejected' }
  | { readonly kind: 'hangUp' }
  /** To a message, by a message. */
  | { readonly kind: 'reply'; readonly text: string }
  | { readonly kind: 'nothing' }

interface Way {
  readonly callerId: string
  readonly ringSeconds: number
  /** Asked when the way is over; what it answers is what comes next. */
  readonly action: string
}

interface AgentDial extends Way {
  readonly sip: string
  readonly maxSeconds: number
  readonly answerOnBridge: boolean
}

/** https://www.twilio.com/docs/voice/twiml: all TwiML of the project. */
export function twimlOf(spoken: Spoken): string {
  if (spoken.kind === 'reply') {
    const reply = new MessagingResponse()
    reply.message(plain(spoken.text))
    return reply.toString()
  }
  const response = new VoiceResponse()
  write(response, spoken)
  return response.toString()
}

function write(response: VoiceResponse, spoken: Exclude<Spoken, { kind: 'reply' }>): void {
  switch (spoken.kind) {
    case 'agent': {
      say(response, spoken.welcome, spoken.voice)
      const { sip, maxSeconds, answerOnBridge } = spoken.dial
      response.dial({ ...way(spoken.dial), timeLimit: maxSeconds, answerOnBridge }).sip(plain(sip))
      return
    }
    case 'forward':
      response.dial(way(spoken)).number(plain(spoken.number))
      return
    case 'transfer': {
      const dial = response.dial({ ...way(spoken), answerOnBridge: spoken.answerOnBridge })
      if ('sip' in spoken.to) dial.sip(plain(spoken.to.sip))
      else dial.number(plain(spoken.to.number))
      return
    }
    case 'record': {
      const { greeting, voice, seconds, action, statusCallback } = spoken
      say(response, greeting, voice)
      response.record({
        ...{ maxLength: seconds, playBeep: true, finishOnKey: '#', trim: 'do-not-trim', action },
        recordingStatusCallback: statusCallback,
        // Absent: nothing was said.
        recordingStatusCallbackEvent: ['completed', 'absent'],
      })
      return
    }
    case 'say':
      say(response, spoken.text, spoken.voice)
      response.hangup()
      return
    case 'reject':
      response.reject({ reason: spoken.reason })
      return
    case 'hangUp':
      response.hangup()
      return
    case 'nothing':
  }
}

function way({ callerId, ringSeconds, action }: Way) {
  return { ...(callerId !== '' && { callerId: plain(callerId) }), timeout: ringSeconds, action }
}

/** Nothing is said where there is nothing to say: even an empty line would answer. */
function say(response: VoiceResponse, text: string, voice: string): void {
  const words = plain(text).trim()
  if (words !== '') response.say({ voice: voice as Voice }, words)
}

type Voice = NonNullable<VoiceResponse.SayAttributes['voice']>

/** What XML can hold, https://www.w3.org/TR/xml/#charsets */
function plain(text: string): string {
  return text.toWellFormed().replace(/[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu, '')
}
