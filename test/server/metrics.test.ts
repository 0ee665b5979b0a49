import { Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import type { CallFact } from '../../src/call/events.ts'
import { limits } from '../../src/limits.ts'
import { callMetrics } from '../../src/server/call-metrics.ts'
import { callerNumber, FakeCall, figures, house, spokenWords, withToken } from './house.ts'

/** The text format, https://prometheus.io/docs/instrumenting/exposition_formats/: every line is a comment or a sample. */
function parse(text: string): Map<string, number> {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    if (line === '' || /^# (HELP|TYPE) [a-z_]+ \S/.test(line)) continue
    const [, sample, value] =
      /^([a-z_]+(?:\{[a-zA-Z_]+="[^"\n]*"(?:,[a-zA-Z_]+="[^"\n]*")*\})?) (\S+)$/.exec(line) ?? []
    if (sample === undefined || samples.has(sample)) throw new Error(`no sample, or a second one: ${line}`)
    samples.set(sample, Number(value))
  }
  return samples
}

async function countsOf(...facts: CallFact[]): Promise<Map<string, number>> {
  const registry = new Registry()
  const observe = callMetrics(registry)
  for (const fact of facts) observe({ call: 'c1', business: 'dentist', atMs: 0, fact })
  return parse(await registry.metrics())
}

const offered = (engine = 'scripted'): CallFact => ({
  name: 'offered',
  engine,
  codec: 'ulaw',
  private: { callerNumber, calledUser: 'bianca', requestUri: '', parameters: {}, headers: {} },
})

describe('what events tell', () => {
  it('counts what is paid for, and how long asking took who calls', async () => {
    const ended = { name: 'ended', reason: 'callerHungUp', durationMs: 70_000 } as const
    const samples = await countsOf(
      { ...ended, answeredMs: 60_001 },
      { ...ended, answeredMs: 0 },
      ended,
      { ...ended, reason: 'takenOver', answeredMs: 60_000 },
      { name: 'usageCounted', model: 'a', inputTokens: 132, outputAudioTokens: 91 },
      { name: 'usageCounted', model: 'b', inputTokens: 8, transcriptionMs: 2_500 },
      { name: 'callerLookedUp', of: 'records', ok: false, tookMs: 800 },
    )
    expect(Object.fromEntries(samples)).toMatchObject({
      parley_telephone_minutes_total: 3,
      'parley_provider_tokens_total{counted="inputTokens"}': 140,
      'parley_provider_tokens_total{counted="outputAudioTokens"}': 91,
      'parley_provider_tokens_total{counted="cachedTokens"}': 0,
      parley_transcribed_seconds_total: 2.5,
      'parley_caller_lookup_seconds_sum{of="records",ok="false"}': 0.8,
    })
  })

  it('counts calls by how they came and went', async () => {
    const samples = await countsOf(
      offered(),
      offered(),
      { name: 'refused', reason: 'capacity' },
      { name: 'takenOver' },
      { name: 'answered', setUpMs: 40 },
      { name: 'degraded', code: 'ENGINE_FAILED', detail: 'no matter' },
      { name: 'handedBack', reason: 'ENGINE_FAILED' },
      { name: 'voicemailLeft', seconds: 3, private: { recording: 'r', callerNumber: undefined } },
      { name: 'ended', reason: 'handedBack', durationMs: 61_000 },
    )
    expect(Object.fromEntries(samples)).toMatchObject({
      'parley_calls_offered_total{engine="scripted"}': 2,
      'parley_calls_refused_total{reason="capacity"}': 1,
      'parley_calls_refused_total{reason="draining"}': 0,
      parley_calls_taken_over_total: 1,
      parley_calls_handed_back_total: 1,
      parley_voicemails_total: 1,
      'parley_degraded_total{code="ENGINE_FAILED"}': 1,
      'parley_calls_ended_total{reason="handedBack"}': 1,
      'parley_calls_ended_total{reason="callerHungUp"}': 0,
      'parley_call_setup_seconds_bucket{le="0.025"}': 0,
      'parley_call_setup_seconds_bucket{le="0.05"}': 1,
      parley_call_setup_seconds_sum: 0.04,
      parley_call_duration_seconds_sum: 61,
    })
  })

  it('counts transfers by what came of them, and how soon the far end rang', async () => {
    const samples = await countsOf(
      { name: 'transferBegan', attempt: 1, destination: 'reception', mode: 'blind', by: 'agent', private: {} },
      { name: 'transferRang', attempt: 1, afterMs: 80 },
      { name: 'transferEnded', attempt: 1, outcome: 'busy', tookMs: 900 },
      { name: 'transferEnded', attempt: 2, outcome: 'connected', tookMs: 2_000 },
      { name: 'returned' },
    )
    expect(Object.fromEntries(samples)).toMatchObject({
      'parley_transfers_total{outcome="busy"}': 1,
      'parley_transfers_total{outcome="connected"}': 1,
      'parley_transfers_total{outcome="noPort"}': 0,
      parley_transfers_returned_total: 1,
      'parley_transfer_ring_seconds_bucket{le="0.05"}': 0,
      'parley_transfer_ring_seconds_bucket{le="0.1"}': 1,
    })
  })

  it('counts turns, interruptions and those that were none', async () => {
    const samples = await countsOf(
      { name: 'turnAnswered', thinkMs: 600, pauseMs: 900 },
      { name: 'turnAnswered', thinkMs: 200, pauseMs: 400 },
      { name: 'replyTimed', askMs: 1.5, beginMs: 60, makeMs: 440, playMs: 2.5 },
      { name: 'agentPaused' },
      { name: 'agentResumed' },
      { name: 'agentPaused' },
      { name: 'agentInterrupted', ms: 700 },
      { name: 'agentPaused' },
      { name: 'agentInterrupted', ms: 100 },
      { name: 'toolRan', tool: 'book', ok: false, tookMs: 250 },
    )
    expect(Object.fromEntries(samples)).toMatchObject({
      parley_turn_think_seconds_count: 2,
      parley_turn_think_seconds_sum: 0.8,
      parley_turn_pause_seconds_sum: 1.3,
      parley_reply_gateway_seconds_sum: 0.004,
      parley_reply_provider_seconds_sum: 0.5,
      parley_interruptions_total: 2,
      parley_false_interruptions_total: 1,
      'parley_tool_seconds_sum{tool="book",ok="false"}': 0.25,
    })
  })

  it('adds up the RTP of calls', async () => {
    const samples = await countsOf({ name: 'mediaClosed', figures }, { name: 'mediaClosed', figures })
    const { received, sent } = figures
    expect(Object.fromEntries(samples)).toMatchObject({
      parley_rtp_received_packets_total: 2 * received.packets,
      parley_rtp_lost_packets_total: 2 * received.lost,
      parley_rtp_late_packets_total: 2 * received.late,
      parley_rtp_duplicated_packets_total: 2 * received.duplicated,
      parley_rtp_reordered_packets_total: 2 * received.reordered,
      parley_rtp_concealed_frames_total: 2 * received.concealedFrames,
      parley_rtp_missing_frames_total: 2 * received.missingFrames,
      parley_rtp_stranger_packets_total: 2 * received.strangers,
      parley_rtp_invalid_packets_total: 2 * received.invalid,
      parley_rtp_ssrc_changes_total: 2 * received.ssrcChanges,
      parley_rtp_sent_packets_total: 2 * sent.packets,
      parley_rtp_late_frames_total: 2 * sent.lateFrames,
      parley_rtp_skipped_frames_total: 2 * sent.skippedFrames,
      parley_rtp_shed_frames_total: 2 * figures.shedFrames,
      parley_rtp_overflows_total: 2 * sent.overflows,
      parley_rtp_jitter_seconds_count: 2,
    })
  })

  it('lets no label grow without bound, and holds nothing of a caller', async () => {
    const many = Array.from({ length: 500 }, (_, index) => index)
    const before = (await countsOf()).size
    const samples = await countsOf(
      ...many.map(index => offered(`engine-${index}`)),
      ...many.map((index): CallFact => ({ name: 'degraded', code: `code-${index}`, detail: spokenWords })),
      { name: 'callerSpoke', private: { text: spokenWords } },
      { name: 'digitPressed', private: { digit: '7' } },
      { name: 'handedBack', reason: spokenWords },
    )
    expect(samples.get('parley_calls_offered_total{engine="other"}')).toBe(500 - limits.http.labelValues)
    expect(samples.get('parley_calls_offered_total{engine="engine-0"}')).toBe(1)
    expect(samples.size - before).toBe(2 * (limits.http.labelValues + 1))
    expect([...samples.keys()].join()).not.toContain(spokenWords)
  })
})

describe('GET /metrics', () => {
  async function scrape(parts: ReturnType<typeof house>) {
    const answer = await parts.server.inject({ url: '/metrics', headers: withToken })
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    return Object.fromEntries(parse(answer.body))
  }

  it('tells the state of the gateway at that moment', async () => {
    const parts = house()
    const ending = new FakeCall('c3')
    ending.hangUp()
    parts.exchange.live.push(new FakeCall('c1'), new FakeCall('c2'), ending)
    expect(await scrape(parts)).toMatchObject({
      'parley_calls{state="live"}': 2,
      'parley_calls{state="ending"}': 1,
      'parley_calls{state="offered"}': 0,
      'parley_build_info{version="1.2.3"}': 1,
      parley_ready: 1,
      parley_sip_answered: 1,
      parley_draining: 0,
      parley_calls_max: 22,
      parley_port_pairs: 45,
      parley_port_pairs_used: 7,
      parley_media_lines: 3,
      parley_recordings: 2,
      parley_recording_disk_full: 0,
      parley_journal_written_events_total: 12,
      parley_journal_shed_events_total: 1,
      parley_journal_queued_events: 2,
      parley_journal_failing: 0,
      parley_journal_waiting_bytes: 0,
      parley_journal_waiting_seconds: 0,
      parley_store_failing: 0,
    })
    parts.exchange.live.length = 0
    parts.journal.figures.written = 20
    parts.media.alive = false
    parts.recorders.disk = 'full'
    expect(await scrape(parts)).toMatchObject({
      parley_recording_disk_full: 1,
      'parley_calls{state="live"}': 0,
      parley_journal_written_events_total: 20,
      parley_ready: 0,
    })
  })

  it('tells of the process: processor, memory, how late the main thread is', async () => {
    const samples = await scrape(house())
    expect(samples['process_cpu_seconds_total{mode="user"}']).toBeGreaterThan(0)
    expect(samples['process_resident_memory_bytes']).toBeGreaterThan(10e6)
    expect(samples['nodejs_heap_used_bytes']).toBeGreaterThan(1e6)
    expect(samples['parley_event_loop_delay_seconds{quantile="0.99"}']).toBeGreaterThanOrEqual(0)
  })

  it('keeps two gateways in one process apart', async () => {
    const [one, other] = [house(), house()]
    one.exchange.live.push(new FakeCall('c1'))
    expect((await scrape(one))['parley_calls{state="live"}']).toBe(1)
    expect((await scrape(other))['parley_calls{state="live"}']).toBe(0)
  })
})
