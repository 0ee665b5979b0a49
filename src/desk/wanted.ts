import type { Business } from '../business.ts'
import { finalStatuses } from '../call/carrier-events.ts'
import type { CallEvent } from '../call/events.ts'
import type { DeletedBy } from '../call/kept-events.ts'
import { limits } from '../limits.ts'
import type { CallKnowledge } from '../store/call-knowledge.ts'
import type { WantedJob } from '../store/jobs.ts'
import type { HousedSound } from './deleting.ts'
import { deliveriesWantedBy } from './hooks.ts'
import { occasionOf, waysOf } from './notices.ts'

/** As long as nobody has asked. */
const mayBeAnything: CallKnowledge = { heard: true, spokenWith: false, recorded: true }

/**
 * What is to be done because of what happened: the same for the same event, whoever reads it and however often. Of the end of a
 * call only what something can come of, by what is known of the call.
 */
export function jobsWantedBy(
  event: CallEvent,
  business: Business | undefined,
  known: CallKnowledge = mayBeAnything,
): readonly WantedJob[] {
  if (!business) return kept(event, known)
  return [
    ...kept(event, known),
    ...digested(event, business, known),
    ...told(event, business, known),
    ...deliveriesWantedBy(event, business),
  ]
}

/** Of files. */
function kept({ call, business, atMs, fact }: CallEvent, { recorded }: CallKnowledge): readonly WantedJob[] {
  switch (fact.name) {
    case 'recordingEnded':
      // It goes on in the same file when they come back: until they have gone for good nothing is made of it.
      if (fact.why === 'transferred') return []
      return [{ kind: 'convert', key: fact.recording, business, subject: { call, recording: fact.recording } }]
    case 'ended':
      return recorded && fact.reason === 'transferred'
        ? [{ kind: 'convert', key: call, business, subject: { call } }]
        : []
    case 'voicemailLeft': {
      const { recording } = fact.private
      // Until then it is written down from what was heard, not from what is left of it.
      const afterMs = atMs + limits.digest.soundKeptMs
      return [{ kind: 'convert', key: recording, business, subject: { call, recording }, afterMs }]
    }
    case 'recordingDeleted':
    case 'voicemailDeleted': {
      const { recording, by } = fact
      // Of whom is forgotten all goes with one job.
      if (by === 'request') return []
      return [{ kind: 'clean', key: `words ${recording}`, business, subject: { call, words: recording } }]
    }
    default:
      return []
  }
}

/** Of words. */
function digested(
  { call, business, atMs, fact }: CallEvent,
  { digests, answers }: Business,
  { heard }: CallKnowledge,
): readonly WantedJob[] {
  switch (fact.name) {
    case 'voicemailLeft': {
      if (!digests.transcribe) return []
      return [transcriptionOf(call, business, fact.private.recording)]
    }
    case 'transcribed': {
      const { recording } = fact
      if (fact.private.text === '') return []
      const subject = { call, recording }
      const summary: WantedJob = { kind: 'summarize', key: `${call} ${recording}`, business, subject: { call } }
      const answer: WantedJob = { kind: 'answer', key: recording, business, subject }
      return [...(digests.summarize ? [summary] : []), ...(answers.enabled ? [answer] : [])]
    }
    case 'ended': {
      const goesOn = fact.reason === 'takenOver' || fact.reason === 'redirected'
      if (!heard || !digests.summarize || goesOn) return []
      return [{ ...summaryOf(call, business, atMs), key: `${call} ${fact.reason}` }]
    }
    case 'carrierTold': {
      // Whom the carrier had led elsewhere meanwhile.
      const isOver = fact.direction === 'inbound' && finalStatuses.some(each => each === fact.status)
      if (!heard || !digests.summarize || !isOver) return []
      return [{ ...summaryOf(call, business, atMs), key: `${call} ${fact.name}` }]
    }
    default:
      return []
  }
}

/** What else was told of it, by its other parts among them, is there then. */
function summaryOf(call: string, business: string, atMs: number): Omit<WantedJob, 'key'> {
  return { kind: 'summarize', business, subject: { call }, afterMs: atMs + limits.notice.graceMs }
}

/** Also by an operator, for a message that nobody has written down. */
export function transcriptionOf(call: string, business: string, recording: string): WantedJob {
  return { kind: 'transcribe', key: recording, business, subject: { call, recording } }
}

/** What a gateway has on its disk is gone through once a day, by itself. */
export function cleaningOf(day: string, home: string): WantedJob {
  return { kind: 'clean', key: `${day} ${home}`, business: '', subject: { day, at: home } }
}

/** Of a sound that somebody wants to be gone: the gateway that has it does it, also when it was cut off while it did. */
export function deletionOf(sound: HousedSound, by: DeletedBy, afterMs?: number): WantedJob {
  const { kind, name, call, business, home } = sound
  const subject = { sound: kind, name, call, by, ...(home === null ? {} : { at: home }) }
  return { kind: 'clean', key: `${kind} ${name}`, business, subject, ...(afterMs === undefined ? {} : { afterMs }) }
}

/** The number stands where it can be taken away: the job knows the id of what was asked alone. */
export function forgettingOf(id: string, business: string): WantedJob {
  return { kind: 'forget', key: id, business, subject: { forgetting: id } }
}

/** To the people of the business, each thing by each of their ways. */
function told(event: CallEvent, business: Business, { spokenWith }: CallKnowledge): readonly WantedJob[] {
  const { call, atMs, fact } = event
  const occasion = occasionOf(event)
  if (!occasion || (occasion.kind === 'missedCall' && (spokenWith || !business.active))) return []
  const of = { kind: 'notify', business: business.id } as const
  const subject = { call, notice: occasion.kind }
  return waysOf(business).map(by => {
    const key = [call, occasion.kind, by]
    if (occasion.kind !== 'missedCall') {
      const { about } = occasion
      return { ...of, key: [...key, about].join(' '), subject: { ...subject, about, by } }
    }
    // A way into the house may have ended when the carrier still has the caller: both ends are looked at.
    const afterMs = atMs + limits.notice.graceMs
    return { ...of, key: [...key, fact.name].join(' '), subject: { ...subject, by }, afterMs }
  })
}
