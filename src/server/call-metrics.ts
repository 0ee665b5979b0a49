import { Counter, Histogram, type Registry } from 'prom-client'
import { type CallEvent, type CallFact, type EndReason, transferOutcomes, usageCounters } from '../call/events.ts'
import type { LineFigures } from '../call/ports.ts'
import { limits } from '../limits.ts'

const SETUP_SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const OWN_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1]
const TURN_SECONDS = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10]
const CALL_SECONDS = [5, 15, 30, 60, 120, 300, 600, 1_800, 3_600]
const RING_SECONDS = [0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10]
const JITTER_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16]

/** Every value of a closed list stands at zero from the start, so that the first of a kind is seen as an increase. */
const endReasons: Readonly<Record<EndReason, 0>> = {
  callerHungUp: 0,
  callerVanished: 0,
  agentHungUp: 0,
  operatorHungUp: 0,
  handedBack: 0,
  transferred: 0,
  redirected: 0,
  takenOver: 0,
  lost: 0,
  refused: 0,
  failed: 0,
  timedOut: 0,
  drained: 0,
  tooLong: 0,
}
const refusals: Readonly<Record<Extract<CallFact, { name: 'refused' }>['reason'], 0>> = {
  capacity: 0,
  draining: 0,
  unready: 0,
  inactive: 0,
  forged: 0,
}

/** A projection: the returned function counts what an event tells. */
export function callMetrics(registry: Registry): (event: CallEvent) => void {
  const calls = callSeries(registry)
  const turns = turnSeries(registry)
  const countMedia = mediaSeries(registry)
  const countUsage = usageSeries(registry)
  const engine = boundedLabel()
  const code = boundedLabel()
  const tool = boundedLabel()
  return ({ fact }) => {
    countUsage(fact)
    switch (fact.name) {
      case 'offered':
        return fact.again ? undefined : calls.offered.inc({ engine: engine(fact.engine) })
      case 'refused':
        return calls.refused.inc({ reason: fact.reason })
      case 'answered':
        return calls.setUp.observe(fact.setUpMs / 1_000)
      case 'takenOver':
        return calls.takenOver.inc()
      case 'handedBack':
        return calls.handedBack.inc()
      case 'voicemailLeft':
        return calls.voicemails.inc()
      case 'degraded':
        return calls.degraded.inc({ code: code(fact.code) })
      case 'callerLookedUp':
        return calls.lookedUp.observe({ of: fact.of, ok: String(fact.ok) }, fact.tookMs / 1_000)
      case 'ended':
        calls.ended.inc({ reason: fact.reason })
        return calls.duration.observe(fact.durationMs / 1_000)
      case 'turnAnswered':
        turns.think.observe(fact.thinkMs / 1_000)
        return turns.pause.observe(fact.pauseMs / 1_000)
      case 'replyTimed':
        turns.gateway.observe((fact.askMs + fact.playMs) / 1_000)
        return turns.provider.observe((fact.beginMs + fact.makeMs) / 1_000)
      case 'agentInterrupted':
        return turns.interrupted.inc()
      case 'agentResumed':
        return turns.falselyInterrupted.inc()
      case 'toolRan':
        return turns.tool.observe({ tool: tool(fact.tool), ok: String(fact.ok) }, fact.tookMs / 1_000)
      case 'transferRang':
        return calls.transferRang.observe(fact.afterMs / 1_000)
      case 'transferEnded':
        return calls.transfers.inc({ outcome: fact.outcome })
      case 'returned':
        return calls.returned.inc()
      case 'mediaClosed':
        return countMedia(fact.figures)
    }
  }
}

function callSeries(registry: Registry) {
  const { counter, histogram } = seriesIn(registry)
  const series = {
    offered: counter('parley_calls_offered_total', 'Calls taken on.', ['engine']),
    refused: counter('parley_calls_refused_total', 'Calls turned away.', ['reason']),
    ended: counter('parley_calls_ended_total', 'Calls that have ended.', ['reason']),
    takenOver: counter('parley_calls_taken_over_total', 'Calls taken over from an earlier life of the gateway.'),
    handedBack: counter('parley_calls_handed_back_total', "Calls left to the dialplan's fallback."),
    voicemails: counter('parley_voicemails_total', 'Voicemails left.'),
    transfers: counter('parley_transfers_total', 'Attempts to connect a caller with somebody else.', ['outcome']),
    transferRang: histogram(
      'parley_transfer_ring_seconds',
      "From the end of the agent's last words to the first ringing at the destination.",
      RING_SECONDS,
    ),
    returned: counter('parley_transfers_returned_total', 'Callers who came back because the other one had vanished.'),
    degraded: counter('parley_degraded_total', 'Failures that a call lived with or ended by.', ['code']),
    lookedUp: histogram('parley_caller_lookup_seconds', 'What asking took who calls.', OWN_SECONDS, ['of', 'ok']),
    setUp: histogram('parley_call_setup_seconds', 'From the offer of a call to its answer.', SETUP_SECONDS),
    duration: histogram('parley_call_duration_seconds', 'From the offer of a call to its end.', CALL_SECONDS),
  }
  for (const reason of Object.keys(endReasons)) series.ended.inc({ reason }, 0)
  for (const outcome of transferOutcomes) series.transfers.inc({ outcome }, 0)
  for (const reason of Object.keys(refusals)) series.refused.inc({ reason }, 0)
  return series
}

function turnSeries(registry: Registry) {
  const { counter, histogram } = seriesIn(registry)
  return {
    think: histogram(
      'parley_turn_think_seconds',
      "Turns answered, by the time from the end of the caller's turn to the first sound of the answer.",
      TURN_SECONDS,
    ),
    pause: histogram(
      'parley_turn_pause_seconds',
      "Turns answered, by the silence that was waited for before the caller's turn counted as over.",
      TURN_SECONDS,
    ),
    gateway: histogram(
      'parley_reply_gateway_seconds',
      "Replies of a realtime engine, by the gateway's own part: from the news that the caller has ended to the wish for a reply, and from its first sound to the first packet.",
      OWN_SECONDS,
    ),
    provider: histogram(
      'parley_reply_provider_seconds',
      "Replies of a realtime engine, by the provider's part: from the wish to the first sound.",
      TURN_SECONDS,
    ),
    interrupted: counter('parley_interruptions_total', 'Times the agent fell silent because the caller spoke.'),
    falselyInterrupted: counter('parley_false_interruptions_total', 'Times the agent paused for a noise and went on.'),
    tool: histogram('parley_tool_seconds', 'What tools took.', TURN_SECONDS, ['tool', 'ok']),
  }
}

/** Counted when a call's media is closed: a call that is up shows its own figures at /v1/calls/:id. */
const mediaTotals: readonly (readonly [name: string, help: string, of: (figures: LineFigures) => number])[] = [
  ['received_packets', 'RTP packets received.', figures => figures.received.packets],
  ['lost_packets', 'RTP packets that never came.', figures => figures.received.lost],
  ['late_packets', 'RTP packets that came too late to be heard.', figures => figures.received.late],
  ['duplicated_packets', 'RTP packets received again.', figures => figures.received.duplicated],
  ['reordered_packets', 'RTP packets received out of order.', figures => figures.received.reordered],
  ['concealed_frames', 'Frames made up for lost packets.', figures => figures.received.concealedFrames],
  ['missing_frames', 'Frames of silence for a far end that sent nothing.', figures => figures.received.missingFrames],
  ['stranger_packets', 'Packets from an address that is not the peer, dropped.', figures => figures.received.strangers],
  ['invalid_packets', 'Packets that are not RTP of the call.', figures => figures.received.invalid],
  ['ssrc_changes', 'Times the far end began a new stream.', figures => figures.received.ssrcChanges],
  ['sent_packets', 'RTP packets sent.', figures => figures.sent.packets],
  ['late_frames', 'Frames that left over 2 ms after their deadline.', figures => figures.sent.lateFrames],
  ['skipped_frames', 'Frames left out after a stall of the media thread.', figures => figures.sent.skippedFrames],
  ['shed_frames', 'Frames that the main thread did not take in time.', figures => figures.shedFrames],
  ['overflows', 'Utterances cut at the bound on unplayed audio.', figures => figures.sent.overflows],
]

function mediaSeries(registry: Registry): (figures: LineFigures) => void {
  const { counter, histogram } = seriesIn(registry)
  const jitter = histogram('parley_rtp_jitter_seconds', 'Interarrival jitter of a call at its end.', JITTER_SECONDS)
  const totals = mediaTotals.map(([name, help, of]) => ({ counter: counter(`parley_rtp_${name}_total`, help), of }))
  return figures => {
    jitter.observe(figures.received.jitterMs / 1_000)
    for (const total of totals) total.counter.inc(total.of(figures))
  }
}

/** What is paid for. */
function usageSeries(registry: Registry): (fact: CallFact) => void {
  const { counter } = seriesIn(registry)
  const tokens = counter('parley_provider_tokens_total', 'What providers count of their work.', ['counted'])
  const transcribed = counter('parley_transcribed_seconds_total', 'Speech written down by models that count its time.')
  const minutes = counter(
    'parley_telephone_minutes_total',
    'Minutes of answered calls, each rounded up as carriers do.',
  )
  const counted = usageCounters.filter(each => each !== 'transcriptionMs')
  for (const each of counted) tokens.inc({ counted: each }, 0)
  return fact => {
    if (fact.name === 'ended' && fact.answeredMs !== undefined && fact.reason !== 'takenOver') {
      minutes.inc(Math.max(1, Math.ceil(fact.answeredMs / 60_000)))
    }
    if (fact.name !== 'usageCounted') return
    for (const each of counted) tokens.inc({ counted: each }, fact[each] ?? 0)
    transcribed.inc((fact.transcriptionMs ?? 0) / 1_000)
  }
}

function seriesIn(registry: Registry) {
  const registers = [registry]
  return {
    counter: (name: string, help: string, labelNames: readonly string[] = []) =>
      new Counter({ name, help, labelNames, registers }),
    histogram: (name: string, help: string, buckets: number[], labelNames: readonly string[] = []) =>
      new Histogram({ name, help, buckets, labelNames, registers }),
  }
}

/** A label that is not a closed list: its first values get a series each, all others share one. */
function boundedLabel(): (value: string) => string {
  const seen = new Set<string>()
  return value => {
    if (seen.has(value)) return value
    if (seen.size >= limits.http.labelValues) return 'other'
    seen.add(value)
    return value
  }
}
