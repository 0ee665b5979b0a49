import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { FRAME_SAMPLES } from '../../src/media/audio.ts'
import { PlaneCore } from '../../src/plane/core.ts'
import type { FromPlane } from '../../src/plane/protocol.ts'
import { forEachPair, PAIR_BYTES, type RecorderWay, type ToRecorder } from '../../src/plane/takes.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { VirtualNetwork } from '../support/virtual-network.ts'

const peer = { address: '127.0.0.1', port: 1 }

function way(messages: ToRecorder[]): RecorderWay {
  return { port: { postMessage: message => void messages.push(message) }, taken: new Int32Array(1) }
}

async function house(lines = 1) {
  const clock = new VirtualClock()
  const posted: FromPlane[] = []
  const core = new PlaneCore({
    ...{ clock, random: seeded(2), forbiddenPorts: { start: 2, end: 3 } },
    openSocket: new VirtualNetwork(clock, seeded(1)).openSocket,
    afterTurn: run => void clock.after(0, run),
    post: message => void posted.push(message),
    taken: () => 0,
  })
  for (let line = 1; line <= lines; line++) core.receive({ kind: 'open', line, law: 'ulaw' })
  await clock.settle()
  for (let line = 1; line <= lines; line++) core.receive({ kind: 'connect', line, peer })
  const messages: ToRecorder[] = []
  const recorder = way(messages)
  core.receive({ kind: 'recordTo', way: recorder })
  return { clock, core, messages, taken: recorder.taken }
}

function placesOf(messages: readonly ToRecorder[], wanted: number): number[] {
  const places: number[] = []
  for (const message of messages) {
    if (message.kind !== 'pairs') continue
    forEachPair(message.batch, (take, place) => take === wanted && places.push(place))
  }
  return places
}

const upTo = (count: number) => Array.from({ length: count }, (_, place) => place)

describe('what is recorded of lines', () => {
  it('goes to whoever records in few messages, begun and ended, every place once', async () => {
    const { clock, core, messages } = await house(3)
    for (const line of [1, 2, 3]) core.receive({ kind: 'record', line, take: 10 + line, order: { of: line } })
    clock.advance(10_000)
    core.receive({ kind: 'recordNoMore', line: 1, take: 11 })
    core.receive({ kind: 'close', line: 2 })
    expect(messages.filter(({ kind }) => kind === 'pairs').length).toBeLessThanOrEqual(
      10_000 / limits.recording.batchMs + 3,
    )
    expect(messages.filter(({ kind }) => kind === 'begin')).toEqual(
      [1, 2, 3].map(line => ({ kind: 'begin', take: 10 + line, law: 'ulaw', place: 0, order: { of: line } })),
    )
    const ends = messages.filter(message => message.kind === 'end')
    expect(ends.map(({ take }) => take)).toEqual([11, 12])
    for (const { take, places, shed } of ends) {
      expect(shed).toBe(0)
      expect(placesOf(messages, take)).toEqual(upTo(places))
    }
    clock.advance(1_000)
    expect(placesOf(messages, 13).length).toBeGreaterThan(ends[0]!.places)
    expect(placesOf(messages, 11)).toHaveLength(ends[0]!.places)
  })

  it('is bounded while nobody takes it, counted, and goes on at its own time', async () => {
    const { clock, core, messages, taken } = await house()
    core.receive({ kind: 'record', line: 1, take: 1, order: {} })
    const room = Math.floor(limits.recording.pendingBytes / PAIR_BYTES)
    clock.advance(20 * (room + 500))
    const before = placesOf(messages, 1)
    expect(before).toEqual(upTo(before.length))
    expect(before.length).toBeLessThanOrEqual(room)
    expect(before.length).toBeGreaterThan(room - 10)
    taken[0] = room * PAIR_BYTES
    clock.advance(1_000)
    const after = placesOf(messages, 1).slice(room)
    expect(after[0]).toBeGreaterThan(room + 400)
    core.receive({ kind: 'recordNoMore', line: 1, take: 1 })
    const end = messages.at(-1)
    expect(end).toMatchObject({ kind: 'end', take: 1 })
    if (end?.kind === 'end') expect(end.places - placesOf(messages, 1).length).toBe(end.shed)
  })

  it('is begun again, where it stands, with whoever records after one who died', async () => {
    const { clock, core, messages } = await house()
    core.receive({ kind: 'record', line: 1, take: 1, order: { of: 1 } })
    clock.advance(2_000)
    const next: ToRecorder[] = []
    core.receive({ kind: 'recordTo', way: way(next) })
    const [begin] = next
    expect(begin).toMatchObject({ kind: 'begin', take: 1, order: { of: 1 } })
    const place = begin?.kind === 'begin' ? begin.place : -1
    expect(place).toBeGreaterThan(80)
    const before = messages.length
    clock.advance(2_000)
    expect(placesOf(next, 1)[0]).toBe(place)
    expect(messages).toHaveLength(before)
  })

  it('of a line that says something has that where it is said, and only while it is recorded', async () => {
    const { clock, core, messages } = await house()
    core.receive({ kind: 'record', line: 1, take: 1, order: {} })
    clock.advance(1_000)
    const audio = new Uint8Array(10 * FRAME_SAMPLES).fill(77)
    core.receive({ kind: 'speak', line: 1, chunk: { utterance: 1, audio, text: '', last: true } })
    clock.advance(100)
    // Heard for five frames and the one that was sent at once.
    core.receive({ kind: 'cancel', line: 1, ticket: 1 })
    clock.advance(1_000)
    core.receive({ kind: 'recordNoMore', line: 1, take: 1 })
    const said: number[] = []
    for (const message of messages) {
      if (message.kind !== 'pairs') continue
      forEachPair(message.batch, (_, place, __, sent) => sent[0] === 77 && said.push(place))
    }
    expect(said.length).toBeGreaterThanOrEqual(5)
    expect(said.length).toBeLessThanOrEqual(6)
    expect(said.at(-1)! - said[0]!).toBe(said.length - 1)
    expect(said[0]).toBeGreaterThanOrEqual(49)
    expect(said[0]).toBeLessThanOrEqual(51)
  })
})
