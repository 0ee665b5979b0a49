import { NOT_UNDERSTOOD } from '../../providers/local/ear.ts'
import { DID_NOT_UNDERSTAND } from '../../providers/local/policy.ts'
import type { Happening } from './conversation.ts'
import type { RecordedFact, Told } from './gateway-record.ts'

/**
 * What became of something that the caller said. Not every sound behind it is an answer: the agent may ask whether anybody is
 * there, or Asterisk may play its fallback. `unchecked`: a sound was heard, and nobody can be asked whose it was.
 */
export type Answer = 'understood' | 'askedBack' | 'unanswered' | 'unchecked'

/** Of each turn of the caller, by what was heard of it and by the gateway's record. */
export function answersTo(happenings: readonly Happening[], { knowledge, facts }: Told): Answer[] {
  const turns = happenings.filter(each => each.kind === 'callerBegan')
  const placed = onCallersClock(happenings, facts)
  return turns.map((turn, index) => {
    const untilMs = turns[index + 1]?.atMs ?? Number.POSITIVE_INFINITY
    const isWithin = (atMs: number) => atMs >= turn.atMs && atMs < untilMs
    const from = happenings.indexOf(turn)
    const next = turns[index + 1]
    const heard = happenings.slice(from, next && happenings.indexOf(next)).some(each => each.kind === 'agentBegan')
    if (!heard) return 'unanswered'
    if (knowledge === 'unchecked') return 'unchecked'
    if (placed === undefined) return knowledge === 'told' ? 'unchecked' : 'unanswered'
    if (!placed.some(({ name, atMs }) => name === 'turnAnswered' && isWithin(atMs))) return 'unanswered'
    return placed.some(each => isWithin(each.atMs) && asksBack(each)) ? 'askedBack' : 'understood'
  })
}

function asksBack({ name, text = '' }: RecordedFact): boolean {
  if (name === 'callerSpoke') return text.includes(NOT_UNDERSTOOD)
  return name === 'agentSpoke' && text.startsWith(DID_NOT_UNDERSTAND)
}

/**
 * How far the gateway's clock is ahead of the caller's: they may be those of two machines, and are held together by the moment
 * of the answer. Undefined when the record does not have that moment.
 */
export function clockAheadMs(happenings: readonly Happening[], facts: readonly RecordedFact[]): number | undefined {
  const here = happenings.find(each => each.kind === 'answered')
  const there = facts.find(({ name }) => name === 'answered')
  return here && there && there.atMs - here.atMs
}

/** What was spoken stands where it began. */
function onCallersClock(
  happenings: readonly Happening[],
  facts: readonly RecordedFact[],
): readonly RecordedFact[] | undefined {
  const aheadMs = clockAheadMs(happenings, facts)
  if (aheadMs === undefined) return undefined
  return facts.map(fact => ({ ...fact, atMs: fact.atMs - aheadMs - (fact.name === 'agentSpoke' ? (fact.ms ?? 0) : 0) }))
}

/** Why the agent has left a caller alone who had not asked for somebody else. */
export function givenUp(facts: readonly RecordedFact[]): string | undefined {
  const handedBack = facts.find(({ name }) => name === 'handedBack')
  if (!handedBack || facts.some(({ name, tool }) => name === 'toolRan' && tool === 'hand_over')) return undefined
  const failure = facts.findLast(({ name }) => name === 'degraded')?.why
  return [handedBack.why ?? 'for no reason told', ...(failure === undefined ? [] : [failure])].join(': ')
}

export function agentSpoke(facts: readonly RecordedFact[]): boolean {
  return facts.some(({ name, ms = 0 }) => name === 'agentSpoke' && ms > 0)
}
