import { type Happening, wordsOf } from './conversation.ts'
import type { CallFigures, Summary, SummaryRow } from './figures.ts'
import type { ArrivedFigures, RecordedWords } from './gateway-record.ts'
import type { TestCall } from './test-call.ts'

/** What is written while a call goes on, and at its end. */

const TIME_WIDTH = 6
const WHO_WIDTH = 6
const NAME_WIDTH = 18

/** A line of the transcript; `atMs` since the call began. */
export function transcriptLine(atMs: number | undefined, who: string, what: string): string {
  const time = atMs === undefined ? '' : (atMs / 1_000).toFixed(2)
  return `${time.padStart(TIME_WIDTH)}  ${who.padEnd(WHO_WIDTH)}  ${clean(what)}`
}

/** `recorded`: what the gateway's record has told since the line before. */
export function transcriptOf(happening: Happening, sinceMs: number, recorded: readonly RecordedWords[]): string[] {
  const atMs = happening.atMs - sinceMs
  const understood = recorded.filter(each => each.by === 'caller').map(each => each.text)
  const spoken = recorded.filter(each => each.by === 'agent').map(each => each.text)
  const lines = understood.map(text => transcriptLine(undefined, 'agent', `(understood "${text}")`))
  switch (happening.kind) {
    case 'answered':
      return [transcriptLine(atMs, '', 'answered')]
    case 'unanswered':
      return [transcriptLine(atMs, '', `not answered: ${statusOf(happening)}`)]
    case 'callerBegan':
      return [
        transcriptLine(
          atMs,
          'you',
          happening.turn.kind === 'say' ? `"${wordsOf(happening.turn)}"` : wordsOf(happening.turn),
        ),
      ]
    case 'callerStopped':
      return [transcriptLine(atMs, 'you', 'stop')]
    case 'agentBegan':
      return [...leftOver(spoken), transcriptLine(atMs, 'agent', beginning(happening)), ...lines]
    case 'agentStopped':
      return [...lines, transcriptLine(atMs, 'agent', spokenWords(spoken, happening.spokeMs))]
    case 'agentSilent':
      return [
        ...lines,
        ...leftOver(spoken),
        transcriptLine(atMs, 'agent', `has said nothing for ${seconds(happening.waitedMs)}`),
      ]
    case 'agentSpeaksOn':
      return [
        ...lines,
        ...leftOver(spoken),
        transcriptLine(atMs, 'agent', `has not come to an end within ${seconds(happening.spokeMs)}`),
      ]
    case 'agentInterrupted':
      return [...leftOver(spoken), transcriptLine(atMs, 'agent', interruption(happening)), ...lines]
    case 'ended':
      return [...lines, ...leftOver(spoken), transcriptLine(atMs, '', endingWords(happening))]
  }
}

function beginning({ afterMs }: Extract<Happening, { kind: 'agentBegan' }>): string {
  if (afterMs === undefined) return 'begins'
  const ms = Math.round(afterMs)
  return ms < 0 ? `begins ${-ms} ms before you have finished` : `begins, ${ms} ms after you`
}

function spokenWords(texts: readonly string[], spokeMs: number): string {
  const words = texts.length === 0 ? 'stops' : `"${texts.join(' ')}"`
  return `${words} (${seconds(spokeMs)})`
}

function leftOver(texts: readonly string[]): string[] {
  return texts.map(text => transcriptLine(undefined, 'agent', `"${text}"`))
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

/** What is wrong with a call and what to do about it; nothing when it was answered and the agent was heard. */
export function troubleOf(
  { figures, happenings }: Pick<TestCall, 'figures' | 'happenings'>,
  address: string,
): string | undefined {
  const unanswered = happenings.find(each => each.kind === 'unanswered')
  if (unanswered) return remedyFor(unanswered, address)
  if (figures.heard) return undefined
  if (figures.packets > 0)
    return 'The call was answered, and silence was all that came. npm run calls shows its engine.'
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
  const answered = turns.filter(turn => turn.latencyMs !== undefined)
  return [
    named('time to answer', milliseconds(figures.answerMs)),
    named(
      'to first sound',
      figures.firstSoundMs === undefined ? 'none' : `${milliseconds(figures.firstSoundMs)} after the answer`,
    ),
    ...(turns.length === 0 ? [] : [named('turns', `${answered.length} of ${turns.length} answered`)]),
    ...turns.map((turn, index) => named(`  ${index + 1}`, turnLine(turn))),
    named('jitter', `${figures.jitterMs.toFixed(1)} ms`),
    named('loss', `${lost} of ${packets + lost} packets (${lossPercent.toFixed(1)} %)`),
    ...(gatewayHeard ? [named('the gateway heard', arrivedWords(gatewayHeard))] : []),
  ]
}

function arrivedWords({ packets, lost, jitterMs }: ArrivedFigures): string {
  return `${packets} packets of yours, ${lost} lost, jitter ${jitterMs.toFixed(1)} ms`
}

function turnLine({ said, latencyMs, silentAfterMs }: CallFigures['turns'][number]): string {
  const latency = latencyMs === undefined ? 'no answer' : milliseconds(latencyMs)
  const silent = silentAfterMs === undefined ? '' : `, the agent silent after ${milliseconds(silentAfterMs)}`
  return `${latency}${silent}: ${clean(said)}`
}

export function named(name: string, value: string): string {
  return `${name.padEnd(NAME_WIDTH)}  ${value}`
}

/** What many calls came to, as a table. */
export function summaryLines({ calls, answered, heard, rows }: Summary): string[] {
  const line = (name: string, cells: readonly string[]) => named(name, cells.map(cell => cell.padStart(10)).join(''))
  const known = rows.filter(row => row.count > 0)
  return [
    `${calls} calls at once, ${answered} answered, the agent heard in ${heard}`,
    ...(known.length === 0 ? [] : ['', line('', columns)]),
    ...known.map(row => line(row.name, cellsOf(row))),
  ]
}

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
