import type { Summarizer } from '../../agent/ports.ts'
import type { Business } from '../../business.ts'
import { tellsWhoCalls } from '../../call/caller-number.ts'
import type { CallFact } from '../../call/events.ts'
import { answerTextId } from '../../call/text-ids.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { callerIn } from '../notices.ts'
import type { TextRefusal, TextSender } from '../text-sender.ts'
import type { Handler } from '../working.ts'
import { type DeskParts, factOf, type Story, tellMade } from './desk-parts.ts'

export interface AnswerParts extends DeskParts {
  readonly summarizer: Summarizer
  /** Left out where no message can be sent. */
  readonly texts: TextSender | undefined
  readonly words: (recording: string) => Promise<string | undefined>
}

/** Writes to a caller whom nobody but a recording has heard: one message a recording, or none. */
export function answer(parts: AnswerParts): Handler {
  const { summarizer, find, record, words } = parts
  return async ({ business: id, subject }, signal) => {
    const { call, recording } = subject as { call: string; recording: string }
    const business = find(id)
    const known = business?.answers.enabled ? await record(call) : undefined
    if (!business || !known) return
    const facts = known.events.map(factOf)
    const isAnswered = facts.some(fact => fact.name === 'callerAnswered' && fact.recording === recording)
    const text = (await words(recording)) ?? ''
    if (!isOfReception(facts) || isAnswered || text === '') return
    const { instructions } = business.answers
    const message = { business, instructions, text, mostChars: limits.digest.replyChars }
    const made = await summarizer.answer(message, signal)
    const sent = await send(parts, business, { known, recording, reply: made.reply })
    const { by = summarizer.by, intent, data } = made
    const fact = { name: 'callerAnswered', recording, by, ...sent, private: { intent, data } } as const
    await tellMade(parts, { call: known.id, business: id }, made, fact)
  }
}

/** The carrier was told to record them, and nothing else. */
function isOfReception(facts: readonly CallFact[]): boolean {
  return facts.some(
    fact =>
      (fact.name === 'announced' && fact.verdict === 'record') ||
      (fact.name === 'voicemailLeft' && fact.by === 'reception'),
  )
}

interface Wish {
  readonly known: Story
  readonly recording: string
  readonly reply: string | undefined
}

type Sent = { readonly text: string } | { readonly why: NotAnswered }
type NotAnswered = 'noReply' | 'noNumber' | 'noSender' | Exclude<TextRefusal, 'full'>

/** By the first way by which they can be written to. Under one id: whoever asks again finds that it was sent. */
async function send({ texts }: AnswerParts, business: Business, { known, recording, reply }: Wish): Promise<Sent> {
  const to = callerIn(known.events)
  if (reply === undefined) return { why: 'noReply' }
  if (!texts) return { why: 'noSender' }
  if (to === undefined || !to.startsWith('+') || !tellsWhoCalls(to)) return { why: 'noNumber' }
  const id = answerTextId(recording)
  let why: NotAnswered = 'noSender'
  for (const channel of business.answers.by) {
    const taken = await texts.send({ id, business, channel, to, text: reply })
    // Another attempt was cut off behind it, and the model has found other words meanwhile.
    if (taken.kind !== 'refused') return { text: id }
    if (taken.why === 'full') throw new GatewayError('TOOL_FAILED', taken.words, { retryable: true })
    why = taken.why
  }
  return { why }
}
