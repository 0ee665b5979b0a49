import { NOT_UNDERSTOOD } from '../../providers/local/ear.ts'
import { type Answer, agentSpoke, givenUp } from './answers.ts'
import { type Happening, wordsOf } from './conversation.ts'
import type { CallFigures, Summary, SummaryRow } from './figures.ts'
import type { ArrivedFigures, RecordedFact, Told } from './gateway-record.ts'

/** What is written while a call goes on, and at its end. */

const TIME_WIDTH = 6
const WHO_WIDTH = 6
const NAME_WIDTH = 18

/** A line of the transcript; `atMs` since the call began. */
export function transcriptLine(atMs: number | undefined, who: string, what: string): string {
  const time = atMs === undefined ? '' : (atMs / 1_000).toFixed(2)
  return `${time.padStart(TIME_WIDTH)}  ${who.padEnd(WHO_WIDTH)}  ${clean(what)}`
}

/** Of what became known too late to stand in its place. */
export function untimed(line: string): string {
  const time = line.slice(0, TIME_WIDTH)
  return time.trim() === '' ? line : `${' '.repeat(TIME_WIDTH)}${line.slice(TIME_WIDTH)} (at ${time.trim()})`
}

/** Whose a sound is, as far as it is known. */
export type Speaker = 'agent' | 'fallback' | 'somebody'

const speakers: Readonly<Record<Speaker, { who: string; begin: string; stop: string }>> = {
  agent: { who: 'agent', begin: 'begins', stop: 'stops' },
  fallback: { who: '', begin: 'the fallback begins', stop: 'the fallback stops' },
  somebody: { who: '', begin: 'somebody begins', stop: 'somebody stops' },
}

/**
 * `recorded`: what the gateway's record has told since the line before. `answer`: what became of the caller's turn, once that
 * is known.
 */
export function transcriptOf(
  happening: Happening,
  sinceMs: number,
  recorded: readonly RecordedFact[],
  { speaker, answer }: { speaker: Speaker; answer: Answer | undefined } = { speaker: 'agent', answer: undefined },
): string[] {
  const atMs = happening.atMs - sinceMs
  const { who, begin, stop } = speakers[speaker]
  const spoken = recorded.filter(({ name, text }) => name === 'agentSpoke' && text !== undefined && text !== '')
  const lines = recorded.flatMap(noted).map(text => transcriptLine(undefined, 'agent', text))
  const line = (whose: string, what: string) => transcriptLine(atMs, whose, what)
  switch (happening.kind) {
    case 'answered':
      return [line('', 'answered'), ...lines, ...leftOver(spoken)]
    case 'unanswered':
      return [line('', `not answered: ${statusOf(happening)}`)]
    case 'callerBegan': {
      const words = wordsOf(happening.turn)
      return [line('you', happening.turn.kind === 'say' ? `"${words}"` : words)]
    }
    case 'callerStopped':
      return [line('you', 'stop')]
    case 'agentBegan':
      return [...leftOver(spoken), line(who, `${begin}${after(happening)}`), ...lines]
    case 'agentStopped': {
      const length = `(${seconds(happening.spokeMs)})`
      const verdict = answer === undefined ? [] : (verdicts[answer] ?? [])
      const judged = [...lines, ...verdict.map(text => transcriptLine(undefined, 'agent', text))]
      // What is heard to its end is more than the agent has said, once it has handed the caller back.
      if (speaker !== 'agent') return [...leftOver(spoken), ...judged, line(who, `${stop} ${length}`)]
      const words = spoken.length === 0 ? stop : `"${spoken.map(({ text }) => text).join(' ')}"`
      return [...judged, line(who, `${words} ${length}`)]
    }
    case 'agentSilent':
      return [...lines, ...leftOver(spoken), line(who, `has said nothing for ${seconds(happening.waitedMs)}`)]
    case 'agentSpeaksOn': {
      const words = `has not come to an end within ${seconds(happening.spokeMs)}`
      return [...lines, ...leftOver(spoken), line(who, words)]
    }
    case 'agentInterrupted':
      return [...leftOver(spoken), line(who, interruption(happening)), ...lines]
    case 'ended':
      return [...lines, ...leftOver(spoken), line('', endingWords(happening))]
  }
}

const verdicts: Readonly<Partial<Record<Answer, readonly string[]>>> = {
  askedBack: ['(asks back)'],
  unanswered: ['(that was no answer to you)'],
}

/** Facts that are told in a line of their own. */
function noted({ name, text = '', why = 'it does not tell why' }: RecordedFact): string[] {
  switch (name) {
    case 'callerSpoke':
      if (text === '') return []
      return [text === NOT_UNDERSTOOD ? '(understood nothing)' : `(understood "${text}")`]
    case 'takenOver':
      return ['(the gateway was started again, and has taken the call over)']
    case 'handedBack':
      return [`(hands you back to Asterisk: ${why})`]
    default:
      return []
  }
}

function after({ afterMs }: Extract<Happening, { kind: 'agentBegan' }>): string {
  if (afterMs === undefined) return ''
  const ms = Math.round(afterMs)
  return ms < 0 ? ` ${-ms} ms before you have finished` : `, ${ms} ms after you`
}

function leftOver(spoken: readonly RecordedFact[]): string[] {
  return spoken.map(({ text }) => transcriptLine(undefined, 'agent', `"${text}"`))
}

function interruption({ how, silentAfterMs = 0 }: Extract<Happening, { kind: 'agentInterrupted' }>): string {
  switch (how) {
    case 'fellSilent':
      return `fell silent ${Math.round(silentAfterMs)} ms after you began`
    case 'wasSilent':
      return 'was silent already when you began'
    case 'spokeOn':
      return 'did not fall silent'
  }
}

function endingWords({ ending }: Extract<Happening, { kind: 'ended' }>): string {
  if (ending.by === 'caller') return 'you hang up'
  return ending.by === 'callee' ? 'the agent hangs up' : `the call is lost: ${ending.reason}`
}

function statusOf({ status, reason }: Extract<Happening, { kind: 'unanswered' }>): string {
  return status === undefined ? reason : `${status} ${reason}`
}

const remedies: Readonly<Record<number, string>> = {
  401: 'An Asterisk that knows nobody of this address answers there, not the one that Parley configures: npm run doctor.',
  403: 'Asterisk does not let this address in. Start Parley with SIP_ALLOW=<this address>/32, or call from 127.0.0.1.',
  404: 'Nobody has this name there. The user of the address must be SIP_USER, bianca by default.',
  480: 'Parley is not ready: npm run calls and GET /readyz tell why.',
  486: 'Parley is busy: npm run calls shows the calls that are up.',
  487: 'Nobody answered in time, or you hung up first.',
  488: 'Asterisk has no RTP port left for this call, or speaks neither PCMU nor PCMA: npm run calls shows how many are up.',
  503: 'Parley takes no call now: it is full, stopping or not ready. npm run calls and GET /readyz tell which.',
}

/** What is wrong with a call and what to do about it; nothing when it was answered and the agent was heard to the end. */
export function troubleOf(
  { packets }: Pick<CallFigures, 'packets'>,
  happenings: readonly Happening[],
  { knowledge, missing = '', facts }: Told,
  address: string,
): string | undefined {
  const unanswered = happenings.find(each => each.kind === 'unanswered')
  if (unanswered) return remedyFor(unanswered, address)
  if (happenings.some(each => each.kind === 'agentBegan')) {
    if (knowledge === 'unchecked') return undefined
    if (knowledge === 'absent') return `What was heard is not Parley's agent but Asterisk's fallback: ${clean(missing)}`
    if (knowledge === 'lost') {
      return `The gateway was lost in the call, and with it the agent; Asterisk's fallback goes on. ${clean(missing)}`
    }
    const why = givenUp(facts)
    if (why !== undefined) {
      const what = agentSpoke(facts) ? 'The agent gave up' : 'The agent did not speak'
      return `${what}, and Asterisk's fallback went on (${clean(why)}). npm run doctor looks at what the engine needs.`
    }
    return agentSpoke(facts) ? undefined : 'The agent did not speak, by the record of the gateway: see GET /v1/calls.'
  }
  if (packets > 0) return 'The call was answered, and silence was all that came. npm run calls shows its engine.'
  return 'The call was answered, and no audio came: UDP of the RTP ports is blocked on the way, or EXTERNAL_ADDRESS is wrong.'
}

export function remedyFor({ status, reason }: { status: number | undefined; reason: string }, address: string): string {
  if (status !== undefined) return remedies[status] ?? `The other side refuses the call: ${status} ${clean(reason)}.`
  if (/ECONNREFUSED|did not respond|no connection/.test(reason)) {
    return `Nobody answers at ${address}. Start Parley with: npm start`
  }
  return `The call came to nothing: ${clean(reason)}.`
}

/** The figures of one call. */
export function figuresLines(figures: CallFigures, gatewayHeard: ArrivedFigures | undefined): string[] {
  const { turns, packets, lost, lossPercent } = figures
  if (!figures.answered) return []
  return [
    named('time to answer', milliseconds(figures.answerMs)),
    named(
      'to first sound',
      figures.firstSoundMs === undefined ? 'none' : `${milliseconds(figures.firstSoundMs)} after the answer`,
    ),
    ...(turns.length === 0 ? [] : [named('turns', answersLine(turns))]),
    ...turns.map((turn, index) => named(`  ${index + 1}`, turnLine(turn))),
    named('jitter', `${figures.jitterMs.toFixed(1)} ms`),
    named('loss', `${lost} of ${packets + lost} packets (${lossPercent.toFixed(1)} %)`),
    ...(gatewayHeard ? [named('the gateway heard', arrivedWords(gatewayHeard))] : []),
  ]
}

function arrivedWords({ packets, lost, jitterMs }: ArrivedFigures): string {
  return `${packets} packets of yours, ${lost} lost, jitter ${jitterMs.toFixed(1)} ms`
}

function answersLine(turns: CallFigures['turns']): string {
  const count = (...answers: Answer[]) => turns.filter(({ answer }) => answers.includes(answer)).length
  const [askedBack, unchecked] = [count('askedBack'), count('unchecked')]
  const parts = [
    `${count('understood', 'askedBack', 'unchecked')} of ${turns.length} answered`,
    ...(askedBack > 0 ? [`${askedBack} of them asked back`] : []),
    ...(unchecked > 0 ? ['by a sound: whether it was the agent is not checked'] : []),
  ]
  return parts.join(', ')
}

function turnLine({ said, answer, latencyMs, soundMs, silentAfterMs }: CallFigures['turns'][number]): string {
  const sound = soundMs === undefined ? '' : ` (what came after ${milliseconds(soundMs)} was none)`
  const latency = latencyMs === undefined ? `no answer${sound}` : milliseconds(latencyMs)
  const askedBack = answer === 'askedBack' ? ', asked back' : ''
  const silent = silentAfterMs === undefined ? '' : `, the agent silent after ${milliseconds(silentAfterMs)}`
  return `${latency}${askedBack}${silent}: ${clean(said)}`
}

export function named(name: string, value: string): string {
  return `${name.padEnd(NAME_WIDTH)}  ${value}`
}

/** What many calls came to, as a table. */
export function summaryLines({ calls, answered, heard, rows, turns }: Summary): string[] {
  const line = (name: string, cells: readonly string[], width: number) =>
    named(name, cells.map(cell => cell.padStart(width)).join(''))
  const known = rows.filter(row => row.count > 0)
  const shown = answerColumns.filter(([answer]) => answer !== 'unchecked' || turns.some(turn => turn.unchecked > 0))
  const titles = shown.map(([, title]) => title)
  const counts = turns.map(turn => shown.map(([answer]) => String(turn[answer])))
  return [
    `${calls} calls at once, ${answered} answered, the agent heard in ${heard}`,
    ...(known.length === 0 ? [] : ['', line('', columns, COLUMN_WIDTH)]),
    ...known.map(row => line(row.name, cellsOf(row), COLUMN_WIDTH)),
    ...(turns.length === 0 ? [] : ['', line('', titles, ANSWER_WIDTH)]),
    ...counts.map((cells, index) => line(`turn ${index + 1}`, cells, ANSWER_WIDTH)),
  ]
}

const answerColumns = [
  ['understood', 'understood'],
  ['askedBack', 'asked back'],
  ['unanswered', 'no answer'],
  ['unchecked', 'not checked'],
] as const satisfies readonly (readonly [Answer, string])[]
const COLUMN_WIDTH = 10
const ANSWER_WIDTH = 13

const columns = ['p50', 'p95', 'p99', 'max'] as const

function cellsOf(row: SummaryRow): string[] {
  return columns.map(column => `${Number.isInteger(row[column]) ? row[column] : row[column].toFixed(1)} ${row.unit}`)
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? 'not known' : `${ms} ms`
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`
}

/** What the other side says must not steer the terminal. */
function clean(text: string): string {
  return text.replace(/\p{Cc}/gu, '?')
}
