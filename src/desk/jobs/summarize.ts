import type { CallStory, Summarizer } from '../../agent/ports.ts'
import type { CallFact } from '../../call/events.ts'
import type { StoredTranscript } from '../../store/digests.ts'
import type { Handler } from '../working.ts'
import { type DeskParts, factOf, type Story, tellMade } from './desk-parts.ts'

export interface SummarizeParts extends DeskParts {
  readonly summarizer: Summarizer
  readonly isTold: (call: string) => Promise<boolean>
  readonly transcripts: (call: string) => Promise<readonly Pick<StoredTranscript, 'text'>[]>
}

/** Tells a call in short, once. Of a call in which the caller has said nothing there is nothing to tell. */
export function summarize(parts: SummarizeParts): Handler {
  const { summarizer, find, record, isTold, transcripts } = parts
  return async ({ business: id, subject }, signal) => {
    const { call: name } = subject as { call: string }
    const business = find(id)
    const known = business && (await record(name))
    if (!known || goesOn(known.events) || hasLostWords(known.events) || (await isTold(known.id))) return
    const facts = known.events.map(factOf)
    const written = (await transcripts(known.id)).map(({ text }) => ({ who: 'caller' as const, text }))
    const said = [...facts.flatMap(wordsOf), ...written.filter(({ text }) => text !== '')]
    if (!said.some(({ who }) => who === 'caller')) return
    const story = { business, said, ...comeTo(facts) }
    const made = await summarizer.summarize(story, signal)
    const { by = summarizer.by, urgency, who, why, outcome, followUp } = made
    const fact = { name: 'summarized', by, urgency, private: { who, why, outcome, followUp } } as const
    await tellMade(parts, { call: known.id, business: id }, made, fact)
  }
}

/** Another gateway, or another life, has the caller: its end will want it again. */
function goesOn(events: readonly { readonly name: string }[]): boolean {
  const last = (...names: readonly string[]) => events.findLastIndex(({ name }) => names.includes(name))
  return last('takenOver', 'offered') > last('ended', 'carrierTold', 'voicemailLeft')
}

/** Somebody has deleted a message of it, and with that what was told in short: none is taken any more. */
function hasLostWords(events: Story['events']): boolean {
  return events.some(({ name, private: hidden }) => name === 'transcribed' && hidden === null)
}

function wordsOf(fact: CallFact): CallStory['said'] {
  if (fact.name === 'callerSpoke') return [{ who: 'caller', text: fact.private.text }]
  return fact.name === 'agentSpoke' ? [{ who: 'agent', text: fact.private.text }] : []
}

/** What came of it, as far as the record tells. */
function comeTo(facts: readonly CallFact[]): Pick<CallStory, 'happened' | 'left' | 'urgent'> {
  return {
    happened: facts.flatMap(happenedBy),
    left: facts.flatMap(leftBy),
    urgent: facts.some(fact => fact.name === 'messageTaken' && fact.urgent === true),
  }
}

function happenedBy(fact: CallFact): readonly string[] {
  switch (fact.name) {
    case 'callerNamed':
      return [`The caller is ${fact.private.name}.`]
    case 'transferEnded':
      return [
        fact.outcome === 'connected' ? 'They were connected with somebody.' : `A transfer failed (${fact.outcome}).`,
      ]
    case 'messageTaken':
      return ['A message was taken.']
    case 'appointmentRequested':
      return ['An appointment was requested.']
    case 'voicemailLeft':
      return ['A voicemail was left.']
    case 'callsForbidden':
      return ['They want no more calls.']
    case 'ended':
      return endings[fact.reason] === undefined ? [] : [endings[fact.reason]!]
    default:
      return []
  }
}

const endings: Readonly<Partial<Record<string, string>>> = {
  callerHungUp: 'The caller hung up.',
  callerVanished: 'The line went silent.',
  agentHungUp: 'The agent ended the call.',
  operatorHungUp: 'An operator ended the call.',
  failed: 'The call failed.',
  tooLong: 'The call reached its longest duration.',
}

function leftBy(fact: CallFact): readonly string[] {
  if (fact.name === 'messageTaken') {
    const { text, callback, person } = fact.private
    return [`Call back ${callback}${person === undefined ? '' : `, for ${person}`}: ${text}`]
  }
  if (fact.name !== 'appointmentRequested') return []
  const { date, time, service, callback } = fact.private
  return [`Confirm ${service ?? 'an appointment'} on ${date}, ${time}, to ${callback}.`]
}
