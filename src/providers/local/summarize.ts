import type { CallStory, Summarizer } from '../../agent/ports.ts'
import { limits } from '../../limits.ts'

/** Made of what was said and what is known, word for word: it invents nothing, and understands nothing. */
export function extractiveSummarizer(): Summarizer {
  return {
    by: 'builtIn',
    async summarize({ said, happened, left, urgent }) {
      const sentences = sentencesOf(said)
      return {
        who: field(sentences.find(each => named.test(each)) ?? ''),
        why: field(sentences.find(each => wanting.test(each)) ?? sentences[0] ?? ''),
        outcome: field(happened.join(' ')),
        followUp: field(left.join(' ')),
        urgency: urgent ? 'now' : left.length > 0 ? 'soon' : 'none',
      }
    },
    async answer({ text, mostChars }) {
      const reply = 'We have your message and will call you back.'
      const intent = sentencesOf([{ who: 'caller', text }]).find(each => wanting.test(each)) ?? ''
      return {
        intent: field(intent),
        data: {},
        reply: text.trim() === '' || reply.length > mostChars ? undefined : reply,
      }
    },
  }
}

const wanting =
  /\b(want|need|like|would|wish|could|can you|please|call(?:ing)? (?:about|because|back)|book|change|cancel|ask|order|appointment|problem|help)\b/i
const named = /\b(my name is|this is|i am calling (?:from|for)|i'm calling (?:from|for))\b/i

function sentencesOf(said: CallStory['said']): readonly string[] {
  const heard = said.filter(({ who }) => who === 'caller').map(({ text }) => text)
  return heard
    .flatMap(text => text.match(/[^.!?]+[.!?]*/g) ?? [])
    .map(each => each.trim())
    .filter(each => each !== '')
}

function field(text: string): string {
  return text.slice(0, limits.digest.fieldChars).toWellFormed()
}
