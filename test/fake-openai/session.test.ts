import { describe, expect, it } from 'vitest'
import { word } from '../../src/caller/voice.ts'
import { FakeOpenAi, type FakeOptions } from '../../src/fake-openai/api.ts'
import type { Fault } from '../../src/fake-openai/faults.ts'
import { encode } from '../../src/media/g711.ts'
import type { ClientEvent, SessionRequest } from '../../src/providers/openai/protocol.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

type Told = Record<string, unknown> & { type: string }

const pcmu = { type: 'audio/pcmu' } as const
const settings: SessionRequest = {
  type: 'realtime',
  audio: {
    input: {
      format: pcmu,
      transcription: { model: 'any' },
      turn_detection: { type: 'server_vad', create_response: false, interrupt_response: false },
    },
    output: { format: pcmu, voice: 'marin' },
  },
}

/** A client that has a session in the call's law, and does what a test says. */
async function client(options: Partial<FakeOptions> = {}, ...faults: Fault[]) {
  const clock = new VirtualClock()
  const api = new FakeOpenAi({ clock, ...options })
  api.faults.plan(...faults)
  const told: Told[] = []
  let closed = false
  const session = api.open({
    text: frame => told.push(JSON.parse(frame)),
    binary: () => told.push({ type: 'binary' }),
    close: () => {
      closed = true
    },
  })
  await clock.run(5)
  const send = (...events: ClientEvent[]) => {
    for (const event of events) session.receive(JSON.stringify(event))
  }
  const says = async (samples: Int16Array) => {
    const quiet = new Uint8Array(8_000).fill(0xff)
    const bytes = new Uint8Array(samples.length)
    encode('ulaw', samples, bytes)
    for (const part of [bytes, quiet]) {
      for (let at = 0; at < part.length; at += 160) {
        send({ type: 'input_audio_buffer.append', audio: Buffer.from(part.subarray(at, at + 160)).toString('base64') })
        await clock.run(20)
      }
    }
  }
  const kinds = () => told.map(({ type }) => type)
  const all = (type: string) => told.filter(each => each.type === type)
  return { clock, api, session, told, send, says, kinds, all, closed: () => closed }
}

const saying = (text: string): ClientEvent => ({
  type: 'response.create',
  response: { instructions: `Say these words exactly as they are, and nothing else:\n${text}` },
})

const spoken = (markerHz: number, ms = 600) => word({ f0: 150, markerHz, ms, level: -20, random: seeded(7) })

describe('the double of the Realtime API', () => {
  it('hears where a voice begins and ends, commits it, and writes down what it says', async () => {
    const { send, says, told, kinds } = await client()
    send({ type: 'session.update', session: settings })
    await says(spoken(1_300))
    expect(kinds()).toEqual([
      'session.created',
      'session.updated',
      'input_audio_buffer.speech_started',
      'input_audio_buffer.speech_stopped',
      'input_audio_buffer.committed',
      'conversation.item.added',
      'conversation.item.input_audio_transcription.delta',
      'conversation.item.input_audio_transcription.delta',
      'conversation.item.input_audio_transcription.completed',
    ])
    expect(told.at(-1)).toMatchObject({ transcript: 'tone 1300' })
    // With what is kept before the voice, and the silence that ended it.
    const [started, stopped] = [told[2]!['audio_start_ms'], told[3]!['audio_end_ms']] as [number, number]
    expect(Math.abs(started + 300)).toBeLessThan(60)
    expect(Math.abs(stopped - 1_100)).toBeLessThan(60)
  })

  it('answers and falls silent by itself when it is let', async () => {
    const { send, says, all, clock } = await client()
    send({ type: 'session.update', session: { type: 'realtime', audio: { input: { format: pcmu } } } })
    await says(spoken(3_100))
    await clock.run(400)
    expect(all('response.created')).toHaveLength(1)
    await says(spoken(1_300))
    expect(all('response.done')[0]).toMatchObject({
      response: { status: 'cancelled', status_details: { reason: 'turn_detected' } },
    })
  })

  it('says the words that it is told to say, ten times as fast as they are spoken', async () => {
    const { send, all, clock } = await client()
    send({ type: 'session.update', session: settings }, saying('[tone 440 1000ms]'))
    await clock.run(120)
    const bytes = all('response.output_audio.delta').reduce((sum, each) => sum + atob(String(each['delta'])).length, 0)
    expect(bytes).toBe(8_000)
    expect(all('response.done')).toMatchObject([{ response: { status: 'completed' } }])
  })

  it.each<[string, (id: string) => ClientEvent, string]>([
    ['a second response', () => saying('more'), 'conversation_already_has_active_response'],
    [
      'another voice after it has spoken',
      () => ({ type: 'session.update', session: { ...settings, audio: { output: { voice: 'ash' } } } }),
      'cannot_update_voice',
    ],
    [
      'a cut beyond what was sent',
      id => ({ type: 'conversation.item.truncate', item_id: id, content_index: 0, audio_end_ms: 1_001 }),
      'invalid_audio_end_ms',
    ],
    [
      'a cut within a millisecond',
      id => ({ type: 'conversation.item.truncate', item_id: id, content_index: 0, audio_end_ms: 10.5 }),
      'invalid_audio_end_ms',
    ],
    [
      'a cut of what is not there',
      () => ({ type: 'conversation.item.truncate', item_id: 'none', content_index: 0, audio_end_ms: 1 }),
      'item_truncate_invalid_item_id',
    ],
    [
      'a removal of what is not there',
      () => ({ type: 'conversation.item.delete', item_id: 'none' }),
      'item_delete_invalid_item_id',
    ],
    [
      'a result of a call that was not made',
      () => ({
        type: 'conversation.item.create',
        item: { type: 'function_call_output', call_id: 'none', output: '{}' },
      }),
      'invalid_value',
    ],
    [
      'settings in the older form',
      () => ({ type: 'session.update', session: { modalities: ['audio'] } as never }),
      'missing_required_parameter',
    ],
    ['an unknown event', () => ({ type: 'session.dance' }) as never, 'unknown_event'],
  ])('refuses %s', async (what, event, code) => {
    const { send, all, clock, told } = await client()
    send({ type: 'session.update', session: settings }, saying('[tone 440 1000ms]'))
    await clock.run(what === 'a second response' ? 20 : 1_000)
    const item = all('response.output_item.added')[0]!['item'] as { id: string }
    send(event(item.id))
    expect(told.at(-1)).toMatchObject({ type: 'error', error: { code } })
  })

  it('refuses to cancel when there is nothing to cancel, and remembers what was refused', async () => {
    const { send, api } = await client()
    send({ type: 'response.cancel' })
    expect(api.problems).toEqual(['response_cancel_not_active'])
  })

  it('keeps of a cut item the words that were heard', async () => {
    const { send, all, clock, session } = await client()
    send({ type: 'session.update', session: settings }, saying('one two three four five six seven'))
    await clock.run(1_000)
    const item = all('response.output_item.added')[0]!['item'] as { id: string }
    send({ type: 'conversation.item.truncate', item_id: item.id, content_index: 0, audio_end_ms: 1_000 })
    expect(session.conversation.messages).toEqual([{ role: 'agent', text: 'one two three', interrupted: true }])
  })

  it('speaks the older dialect', async () => {
    const { send, clock, kinds, told } = await client({ kind: { names: 'older', g711: 'ignores', truncates: false } })
    expect(told[0]).toMatchObject({ session: { modalities: ['audio', 'text'], input_audio_format: 'pcm16' } })
    send({
      type: 'session.update',
      session: { input_audio_format: 'g711_ulaw', output_audio_format: 'g711_ulaw' } as never,
    })
    expect(told.at(-1)).toMatchObject({ type: 'session.updated', session: { output_audio_format: 'pcm16' } })
    send(saying('[tone 440 200ms]'))
    await clock.run(100)
    expect(kinds()).toContain('response.audio.delta')
    expect(kinds().some(kind => kind.startsWith('response.output_audio'))).toBe(false)
    send({ type: 'conversation.item.truncate', item_id: 'any', content_index: 0, audio_end_ms: 1 })
    expect(told.at(-1)).toMatchObject({ error: { code: 'unknown_event' } })
  })

  it('ends a session after an hour', async () => {
    const { clock, told, closed } = await client()
    await clock.run(3_600_000)
    expect(told.at(-1)).toMatchObject({ error: { code: 'session_expired' } })
    expect(closed()).toBe(true)
    expect(clock.pending).toBe(0)
  })

  it.each(['malformed', 'binary', 'oversize', 'error', 'stall', 'kill', 'expire', 'fail'] as const)(
    'breaks in mid-sentence: %s',
    async what => {
      const frames: string[] = []
      const { send, clock, closed, kinds, session } = await client({}, { at: 'audio', afterMs: 400, what })
      const { text } = session.client
      session.client.text = frame => {
        frames.push(frame)
        if (frame.startsWith('{') && frame.endsWith('}')) text(frame)
      }
      send({ type: 'session.update', session: settings }, saying('[tone 440 1000ms]'))
      await clock.run(500)
      const deltas = frames.filter(frame => frame.includes('"response.output_audio.delta","response_id"'))
      const ends = { kill: true, expire: true }[what as string] ?? false
      expect(closed()).toBe(ends)
      expect(deltas).toHaveLength(ends || what === 'stall' || what === 'fail' ? 2 : 5)
      if (what === 'binary') expect(kinds()).toContain('binary')
      if (what === 'error') expect(kinds()).toContain('error')
    },
  )
})
