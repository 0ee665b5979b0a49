import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/limits.ts'
import { FRAME_MS, SILENCE } from '../../src/media/audio.ts'
import { DECODED, ENCODED } from '../../src/media/g711.ts'
import { seeded } from '../support/random.ts'
import { type Arrival, Incoming, join, stream } from './incoming.ts'

const without = (arrivals: readonly Arrival[], ...lost: number[]) => arrivals.filter((_, i) => !lost.includes(i))
const delayed = (arrivals: readonly Arrival[], index: number, byMs: number) =>
  arrivals.map((each, i) => (i === index ? { ...each, atMs: each.atMs + byMs } : each))

describe('packets in order', () => {
  it('go on in the same call', () => {
    const line = new Incoming().play(stream({ count: 3 }))
    expect(line.frames.map(({ atMs, mediaTimeMs, kind }) => [atMs, mediaTimeMs, kind])).toEqual([
      [0, 0, 'heard'],
      [20, 20, 'heard'],
      [40, 40, 'heard'],
    ])
  })

  it.each([1, 10, 20, 30, 40, 200])('of %i ms become frames of 20 ms, untouched', packetMs => {
    const sent = stream({ count: 1200 / packetMs, samples: packetMs * 8 })
    const line = new Incoming().play(sent)
    expect(line.audio).toEqual(join(sent))
    expect(line.kinds).toEqual([['heard', 60]])
    expect(line.frames.map(frame => frame.mediaTimeMs)).toEqual(Array.from({ length: 60 }, (_, i) => i * 20))
  })

  it('may wrap in sequence and timestamp', () => {
    const sent = stream({ count: 20, sequence: 0xfff8, timestamp: 2 ** 32 - 1000 })
    const line = new Incoming().play(delayed(sent, 7, 15))
    expect(line.audio).toEqual(join(sent))
  })

  it('are alaw on an alaw line', () => {
    const sent = stream({ count: 5, payloadType: 8 })
    expect(new Incoming('alaw').play(sent).audio).toEqual(join(sent))
    expect(new Incoming('ulaw').play(sent).figures.counts).toMatchObject({ packets: 0, invalid: 5 })
  })

  it.each([100, -100])('come out whole for half an hour of a far clock %i ppm fast', ppm => {
    const line = new Incoming()
    const [packet] = stream({ count: 1, samples: 1600 })
    for (let i = 0; i < 9_000; i++) {
      line.play([{ ...packet!, atMs: i * 200 * (1 - ppm / 1e6), sequence: i & 0xffff, timestamp: i * 1600 }])
      // Each packet makes ten frames at once, and nothing comes in between.
      if (line.frames.length !== 10) expect.fail(`packet ${i}: ${line.kinds}`)
      line.frames.length = 0
    }
    expect(line.figures.counts).toMatchObject({ late: 0, missingFrames: 0, concealedFrames: 0 })
    expect(Math.abs(line.figures.counts.driftPpm - ppm)).toBeLessThan(1)
  })
})

describe('packets out of order', () => {
  const sent = stream({ count: 50 })

  it('are put in order, and what waited goes on with the one it waited for', () => {
    const line = new Incoming().play(delayed(sent, 10, 35))
    expect(line.audio).toEqual(join(sent))
    expect(line.figures.counts).toMatchObject({ reordered: 1, lost: 0, late: 0 })
    expect(line.frames.slice(9, 13).map(frame => frame.atMs)).toEqual([180, 235, 235, 240])
  })

  it('are given out byte for byte, whatever the order and the duplicates, when jitter is shorter than the wait', () => {
    const shuffled = fc.record({
      packetMs: fc.constantFrom(1, 5, 10, 20, 30, 40, 200),
      sequence: fc.integer({ min: 0, max: 0xffff }),
      timestamp: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      delays: fc.array(
        fc.record({ ms: fc.double({ min: 0, max: 19.9, noNaN: true }), copies: fc.array(fc.nat({ max: 60 })) }),
        { minLength: 1, maxLength: 80 },
      ),
    })
    fc.assert(
      fc.property(shuffled, ({ packetMs, sequence, timestamp, delays }) => {
        const each = stream({ count: delays.length, samples: packetMs * 8, sequence, timestamp })
        const arrivals = each.flatMap((packet, i) => {
          const { ms, copies } = delays[i]!
          // The first packet is where the stream begins.
          const atMs = packet.atMs + (i === 0 ? 0 : ms)
          return [0, ...copies].map(laterMs => ({ ...packet, atMs: atMs + laterMs }))
        })
        const line = new Incoming().play(arrivals)
        const input = join(each)
        expect(line.audio.length).toBe(input.length - (input.length % 160))
        expect(line.audio).toEqual(input.subarray(0, line.audio.length))
        expect(line.figures.counts.duplicated).toBe(arrivals.length - each.length)
      }),
      { numRuns: 100 },
    )
  })

  it('wait longer once packets have been seen to come later', () => {
    const line = new Incoming()
    let arrivals = stream({ count: 400 })
    for (let i = 20; i < 400; i += 20) arrivals = delayed(arrivals, i, 90)
    line.play(arrivals)
    const { late, lost, reordered } = line.figures.counts
    expect({ late, lost, reordered }).toEqual({ late: 1, lost: 0, reordered: 18 })
  })

  it('are in their place though they waited long for one that never came', () => {
    let arrivals = delayed(stream({ count: 60 }), 20, 90)
    arrivals = arrivals.map((each, i) => (i < 41 ? each : { ...each, atMs: each.atMs + (i === 41 ? 18 : 15) }))
    const line = new Incoming().play(without(arrivals, 40))
    expect(line.kinds.slice(-2)).toEqual([
      ['concealed', 1],
      ['heard', 19],
    ])
    expect(line.audio.subarray(160 * 42)).toEqual(join(stream({ count: 60 })).subarray(160 * 42))
  })

  it('wait longer when packets come unevenly', () => {
    const uneven = stream({ count: 100 }).map((each, i) => ({ ...each, atMs: each.atMs + (i % 2) * 19 }))
    const line = new Incoming().play(delayed(uneven, 81, 30))
    expect(line.figures.counts).toMatchObject({ late: 0, reordered: 1 })
  })

  it('wait less again when none has come late for minutes', () => {
    const long = stream({ count: 9000 })
    const line = new Incoming().play(without(delayed(delayed(long, 20, 70), 40, 70), 8980))
    expect(line.figures.counts).toMatchObject({ lost: 1, late: 1, reordered: 1 })
    expect(line.frames[8980]!.atMs - 8980 * 20).toBeLessThanOrEqual(20 + 40)
  })

  it('wait for two gaps at the same time', () => {
    const sent = stream({ count: 20 })
    const burst = sent.map((each, i) => (i > 10 && i < 15 ? { ...each, atMs: 241 } : each))
    const line = new Incoming().play(without(burst, 10, 12))
    expect(line.frames.slice(10, 15).map(frame => frame.atMs)).toEqual([263, 263, 263, 263, 263])
  })

  it('never wait longer than 80 ms', () => {
    let arrivals = stream({ count: 400 })
    for (let i = 20; i < 400; i += 20) arrivals = delayed(arrivals, i, 250)
    const line = new Incoming().play(arrivals)
    expect(line.figures.counts).toMatchObject({ late: 19, lost: 0 })
    const waits = line.frames.map((frame, i) => frame.atMs - i * 20)
    // The gap is known of with the next packet.
    expect(Math.max(...waits)).toBe(20 + 80)
    const input = join(stream({ count: 400 }))
    for (let i = 20; i < 400; i += 20)
      expect(line.audio.subarray(160 * i - 3000, 160 * i)).toEqual(input.subarray(160 * i - 3000, 160 * i))
  })

  it('are told as duplicates, on time or not', () => {
    const line = new Incoming().play([...sent, ...sent.map(each => ({ ...each, atMs: each.atMs + 33 }))])
    expect(line.audio).toEqual(join(sent))
    expect(line.figures.counts).toMatchObject({ duplicated: 50, late: 0, packets: 100 })
  })

  it('are held back no more than the limit', () => {
    const burst = stream({ count: 200, samples: 8 }).map((each, i) => ({ ...each, atMs: i === 0 ? 0 : 50 + i / 100 }))
    const line = new Incoming().play(without(burst, 1), 51.5)
    const held = 200 - 2 - limits.media.heldPackets
    expect(line.figures.counts.lost).toBe(1)
    expect(line.frames.length).toBeGreaterThanOrEqual(Math.floor((held * 8) / 160))
  })
})

describe('packets lost', () => {
  const sent = stream({ count: 50 })

  it('are concealed after a wait, and the rest is where it was', () => {
    const line = new Incoming().play(without(sent, 10, 20, 21))
    const { audio } = line
    expect(line.kinds).toEqual([
      ['heard', 10],
      ['concealed', 1],
      ['heard', 9],
      ['concealed', 2],
      ['heard', 28],
    ])
    // The first 5 ms after a hole are a blend.
    for (const [from, to] of [
      [0, 1600],
      [1800, 3200],
      [3560, 8000],
    ] as const)
      expect(audio.subarray(from, to)).toEqual(join(sent).subarray(from, to))
    expect(line.figures.counts).toMatchObject({ lost: 3, concealedFrames: 3, missingFrames: 0, late: 0 })
    expect(line.frames[10]!.atMs - 220).toBeGreaterThanOrEqual(20)
    expect(line.frames[10]!.atMs - 220).toBeLessThanOrEqual(40)
  })

  it('are concealed by what came before them', () => {
    const audio = Uint8Array.from(
      { length: 160 },
      (_, n) => ENCODED.ulaw[Math.round(8000 * Math.sin((n * Math.PI) / 20)) & 0xffff]!,
    )
    const line = new Incoming().play(
      without(
        sent.map(each => ({ ...each, audio })),
        10,
      ),
    )
    const loud = (frame: Uint8Array) => Math.max(...Array.from(frame, code => DECODED.ulaw[code]!))
    expect(loud(line.frames[10]!.audio)).toBeGreaterThan(7000)
  })

  it('make a frame concealed only if nothing in it was heard', () => {
    const line = new Incoming().play(without(stream({ count: 20, samples: 240 }), 3, 10))
    expect(line.kinds).toEqual([
      ['heard', 5],
      ['concealed', 1],
      ['heard', 9],
      ['concealed', 1],
      ['heard', 14],
    ])
  })

  it('before a pause are concealed, and the pause is silence', () => {
    const paused = sent.map((each, i) => (i < 20 ? each : moved(each, 40, 1, 160 * 2)))
    const line = new Incoming().play(paused)
    expect(line.kinds).toEqual([
      ['heard', 20],
      ['concealed', 1],
      ['missing', 1],
      ['heard', 30],
    ])
    expect(line.audio.subarray(160 * 22)).toEqual(join(sent.slice(20)))
  })

  it('in great number do not make strangers of those that came', () => {
    const gap = sent.map((each, i) => (i < 25 ? each : moved(each, 4000, 200, 32_000)))
    const line = new Incoming().play([...gap, { ...gap[25]!, atMs: gap[25]!.atMs + 100 }])
    expect(line.figures.counts).toMatchObject({ lost: 200, duplicated: 1, late: 0 })
  })

  it('are dropped when they come after all', () => {
    const line = new Incoming().play(delayed(sent, 10, 200))
    expect(line.figures.counts).toMatchObject({ lost: 0, late: 1, concealedFrames: 1 })
    expect(line.frames).toHaveLength(50)
  })

  it.each([10, 30, 40])('of %i ms leave the others where they were', packetMs => {
    const random = seeded(packetMs)
    const all = stream({ count: 2400 / packetMs, samples: packetMs * 8 })
    const came = all.map((_, i) => i === 0 || i > all.length - 5 || random() > 0.1)
    const line = new Incoming().play(all.filter((_, i) => came[i]))
    all.forEach(({ audio }, i) => {
      const blended = came[i - 1] ? 0 : 40
      const from = i * packetMs * 8
      if (came[i] && i > 0)
        expect(line.audio.subarray(from + blended, from + audio.length)).toEqual(audio.subarray(blended))
    })
    expect(line.figures.counts.lost).toBe(came.filter(each => !each).length)
    expect(line.frames).toHaveLength(120)
  })

  it('for a second are silence, and the rest is where it was', () => {
    const line = new Incoming().play(sent.map((each, i) => (i < 25 ? each : moved(each, 1000, 50, 8000))))
    const input = join(sent)
    expect(line.audio.subarray(0, 4000)).toEqual(input.subarray(0, 4000))
    expect(line.audio.subarray(12_000 + 40, 16_000)).toEqual(input.subarray(4040))
    expect(line.figures.counts.lost).toBe(50)
  })
})

/** The packet as sent later: by so much time, packets and samples. */
function moved(each: Arrival, byMs: number, packets: number, samples: number): Arrival {
  return {
    ...each,
    atMs: each.atMs + byMs,
    sequence: (each.sequence + packets) & 0xffff,
    timestamp: (each.timestamp + samples) >>> 0,
  }
}

describe('a far end that stops', () => {
  const first = stream({ count: 50 })
  const silence = (frames: number) => new Uint8Array(160 * frames).fill(SILENCE.ulaw)

  it('is silence, marked as missing, from 60 ms on', () => {
    const line = new Incoming().play(first, 2000)
    expect(line.kinds).toEqual([
      ['heard', 50],
      ['missing', 48],
    ])
    expect(line.audio.subarray(8000)).toEqual(silence(48))
    const [stop] = line.frames.filter(frame => frame.kind === 'missing')
    expect(stop!.atMs).toBeGreaterThanOrEqual(980 + 60)
    expect(stop!.atMs).toBeLessThan(980 + 80)
    expect(line.leadMs).toBeGreaterThanOrEqual(-60)
  })

  it.each([
    ['ran on', 240_000, 0],
    // Until it is certain that not the network stood still.
    ['stood still', 0, 2],
    ['ran backwards', -100_000, 0],
    ['are others', 0x9abcdef0, 0],
  ])('comes back after 30 s in time when its timestamps %s', (_, samples, packetsLost) => {
    const returned = stream({ count: 100, startMs: 1000, seed: 2, sequence: 1050, timestamp: 58_000 })
    const random = seeded(4)
    const line = new Incoming().play([
      ...first,
      ...returned.map(each => moved(each, 30_000 + random() * 5, 0, samples)),
    ])
    line.wait(33_100)
    expect(line.kinds.map(([kind]) => kind)).toEqual(['heard', 'missing', 'heard', 'missing'])
    const at = Buffer.from(line.audio).indexOf(join(returned.slice(packetsLost)))
    expect(Math.abs(at / 8 - 31_000 - packetsLost * 20)).toBeLessThanOrEqual(5)
    expect(line.figures.counts).toMatchObject({ late: packetsLost, lost: 0, concealedFrames: 0 })
  })

  it('a hundred times, its timestamps standing still, is still in time', () => {
    const line = new Incoming()
    const random = seeded(3)
    const talk = stream({ count: 2000 })
    line.play(talk.map((each, i) => moved(each, Math.floor(i / 20) * 1000 + random() * 10, 0, 0)))
    expect(Math.abs(line.leadMs)).toBeLessThan(60)
    expect(line.figures.counts.late).toBe(99 * 2)
  })

  it('is silent from 60 ms on though the first packet came late', () => {
    const late = stream({ count: 200 }).map(each => ({ ...each, atMs: Math.max(100, each.atMs) }))
    const line = new Incoming().play(late, 4200)
    const stop = line.frames.find(frame => frame.kind === 'missing')!
    expect(stop.atMs).toBeLessThanOrEqual(3980 + 80)
  })

  it('does not make hours of silence when the machine slept', () => {
    const line = new Incoming().play(first).stall(3_600_000).wait(3_600_100)
    expect(line.frames.length).toBeGreaterThan(50)
    expect(line.frames.length).toBeLessThan(50 + 110)
  })

  it('with timestamps that stand still does not blur the drift of its clock', () => {
    const random = seeded(6)
    const talk = stream({ count: 6000 }).map((each, i) => ({
      ...each,
      atMs: each.atMs * (1 - 1e-4) + (i < 3000 ? 0 : 5000) + (i > 3000 && i < 3050 ? 20 : 0) + random() * 15,
    }))
    const line = new Incoming().play(talk)
    expect(Math.abs(line.figures.counts.driftPpm - 100)).toBeLessThan(15)
  })

  it('is no stop when our own thread stood still', () => {
    const sent = stream({ count: 50 })
    const line = new Incoming().play(sent.slice(0, 20)).stall(550)
    line.play(sent.slice(20).map(each => ({ ...each, atMs: Math.max(551, each.atMs) })))
    expect(line.audio).toEqual(join(sent))
  })

  it('is no stop when our own thread stands still again and again', () => {
    const sent = stream({ count: 200 })
    const line = new Incoming()
    for (let n = 0; n < 20; n++) {
      const stalledMs = 200 * n + 110
      line.play(sent.slice(10 * n, 10 * n + 2)).stall(stalledMs)
      line.play(
        sent.slice(10 * n + 2, 10 * n + 10).map(each => ({ ...each, atMs: Math.max(stalledMs + 0.5, each.atMs) })),
      )
    }
    expect(line.audio).toEqual(join(sent))
  })

  it('is no loss when our own thread stood still while a packet was waited for', () => {
    const sent = stream({ count: 50 })
    const line = new Incoming().play([...sent.slice(0, 20), { ...sent[21]!, atMs: 410 }]).stall(520)
    line.play(
      [20, ...Array.from({ length: 28 }, (_, i) => 22 + i)].map(i => ({
        ...sent[i]!,
        atMs: Math.max(520.5, sent[i]!.atMs),
      })),
    )
    expect(line.audio).toEqual(join(sent))
    expect(line.figures.counts).toMatchObject({ lost: 0, late: 0 })
  })

  it('is no stop when packets always come several at once: of speech that comes so nothing is lost', () => {
    const sent = stream({ count: 500 })
    const line = new Incoming().play(
      sent.map(each => ({ ...each, atMs: 120 * Math.ceil(each.atMs / 120) + each.atMs / 1e6 })),
    )
    expect(Buffer.from(line.audio).indexOf(join(sent.slice(20)))).toBe(160 * 20)
    // Silence comes later then, but it comes.
    line.wait(10_500)
    expect(line.leadMs).toBeGreaterThan(-100)
  })

  it('is no stop when the network stood still: what comes too late is dropped, the rest is in its place', () => {
    const sent = stream({ count: 100 })
    const line = new Incoming().play(sent.map(each => ({ ...each, atMs: stalled(each.atMs, 400, 700) })))
    expect(line.audio.subarray(160 * 50)).toEqual(join(sent).subarray(160 * 50))
    expect(line.frames).toHaveLength(100)
    expect(line.figures.counts.missingFrames).toBeLessThan(15)
  })
})

/** Nothing arrives for a while, then all of it at once. */
function stalled(atMs: number, fromMs: number, toMs: number): number {
  return atMs > fromMs && atMs < toMs ? toMs + atMs / 1e6 : atMs
}

describe('a sender that begins anew', () => {
  const first = stream({ count: 50 })
  const input = (second: Arrival[]) => Uint8Array.from([...join(first), ...join(second)])

  it('with another source goes on at once', () => {
    const second = stream({ count: 50, startMs: 1000, ssrc: 8, sequence: 40_000, timestamp: 7, seed: 2 })
    const line = new Incoming().play([...first, ...second])
    expect(line.audio).toEqual(input(second))
    expect(line.figures.counts).toMatchObject({ ssrcChanges: 1, lost: 0, late: 0 })
  })

  it.each([7.3, 13, 19.9])(
    '%s ms beside the frames there were is heard packet by packet, none waits for the next',
    ms => {
      const anew = stream({ count: 50, startMs: 3_000 + ms, sequence: 9_000, timestamp: 7_777, ssrc: 8, seed: 2 })
      const line = new Incoming().play([...first, ...anew])
      const heard = line.frames.slice(-anew.length)
      expect(heard.map(({ atMs }) => atMs)).toEqual(anew.map(({ atMs }) => atMs))
      expect(join(heard)).toEqual(join(anew))
      expect(Math.abs(line.leadMs - FRAME_MS)).toBeLessThan(2 * FRAME_MS)
    },
  )

  it('with another source leaves the late packets of the former one behind', () => {
    const second = stream({ count: 50, startMs: 1000, ssrc: 8, sequence: 40_000, timestamp: 7, seed: 2 })
    const late = first.slice(-3).map(each => ({ ...each, atMs: each.atMs + 65, sequence: each.sequence + 3 }))
    const line = new Incoming().play([...first, ...late, ...second])
    expect(line.audio).toEqual(input(second))
    expect(line.figures.counts).toMatchObject({ ssrcChanges: 1, late: 3 })
  })

  it('hands on what still waited', () => {
    const second = stream({ count: 50, startMs: 1000, ssrc: 8, sequence: 40_000, timestamp: 7, seed: 2 })
    const line = new Incoming().play([...without(first, 48), ...second])
    expect(line.frames).toHaveLength(100)
    expect(line.audio.subarray(160 * 49 + 40, 160 * 50)).toEqual(first[49]!.audio.subarray(40))
    expect(line.audio.subarray(160 * 50)).toEqual(join(second))
  })

  it('is not the one that a single packet came from, when the former goes on', () => {
    const intruder = { ...first[20]!, atMs: 385, ssrc: 99, sequence: 1, timestamp: 1 }
    const line = new Incoming().play([...first, intruder], 1100)
    const at = Buffer.from(line.audio).indexOf(join(first.slice(23)))
    expect(Math.abs(at / 8 - 23 * 20)).toBeLessThanOrEqual(5)
    expect(line.figures.counts).toMatchObject({ ssrcChanges: 2, late: 3 })
  })

  it.each([30_000, 950, 1010, 63_000])('in its numbers only (%i) goes on after three packets', sequence => {
    const second = stream({ count: 50, startMs: 1000, sequence, timestamp: 3_000_000_000, seed: 2 })
    const line = new Incoming().play([...first, ...second])
    const lost = 3
    expect(line.audio.subarray(160 * (50 + lost), 160 * 100)).toEqual(join(second).subarray(160 * lost))
    expect(line.figures.counts).toMatchObject({ ssrcChanges: 0, lost: 0 })
    expect(line.frames).toHaveLength(100)
  })

  it('is not believed for packets from here and there, though nothing else comes', () => {
    const odd = [30_000, 40_000, 20_000, 10_000].map((sequence, i) => ({ ...first[0]!, atMs: 1500 + i, sequence }))
    const line = new Incoming().play([
      ...first.map((each, i) => (i < 25 ? each : moved(each, 2000, 0, 16_000))),
      ...odd,
    ])
    expect(line.kinds).toEqual([
      ['heard', 25],
      ['missing', 100],
      ['heard', 25],
    ])
    expect(line.figures.counts).toMatchObject({ late: 4 })
  })

  it('is not believed for a packet or two from nowhere', () => {
    const odd = [30_000, 30_001].map((sequence, i) => ({ ...first[20]!, atMs: 405 + i, sequence }))
    const line = new Incoming().play([...first, ...odd])
    expect(line.audio).toEqual(join(first))
    expect(line.figures.counts).toMatchObject({ late: 2 })
  })
})

describe('packets without audio', () => {
  const sent = stream({ count: 50 })
  const inPlaceOf = (from: number, to: number, payloadType: number, audio: number[]) =>
    sent.map((each, i) =>
      i < from || i >= to
        ? each
        : { ...each, payloadType, timestamp: sent[from]!.timestamp, audio: Uint8Array.from(audio) },
    )

  it.each([
    ['comfort noise', 13, [60]],
    ['a telephone event', 101, [5, 10, 0, 160]],
    ['an empty packet', 0, []],
  ])('%s: its time passes as silence, and no packet is missed', (_, type, payload) => {
    const line = new Incoming().play(inPlaceOf(20, 30, type, payload))
    expect(line.kinds).toEqual([
      ['heard', 20],
      ['missing', 10],
      ['heard', 20],
    ])
    expect(line.audio.subarray(160 * 30)).toEqual(join(sent).subarray(160 * 30))
    expect(line.figures.counts).toMatchObject({ packets: 50, lost: 0, late: 0, invalid: 0 })
  })

  it('of a type that this line does not know are ignored', () => {
    const line = new Incoming().play([...sent, { ...sent[20]!, atMs: 405, payloadType: 72, ssrc: 3 }])
    expect(line.audio).toEqual(join(sent))
    expect(line.figures.counts).toMatchObject({ packets: 50, invalid: 1, ssrcChanges: 0 })
  })
})

describe('a hostile sender', () => {
  const BOUND_MS = 300

  it.each([
    ['zero', () => 0],
    ['twice as fast', (i: number) => i * 320],
    ['half as fast', (i: number) => i * 80],
    ['a tenth too fast', (i: number) => i * 176],
    ['backwards', (i: number) => (1e9 - i * 160) >>> 0],
    ['at random', (i: number) => Math.floor(seeded(i)() * 2 ** 32)],
    ['leaping forwards', (i: number) => i * 160 + Math.floor(i / 10) * 700],
  ])('whose timestamps are %s neither stops nor hurries time', (_, timestamp) => {
    const line = new Incoming()
    const sent = stream({ count: 3000 }).map((each, i) => ({ ...each, timestamp: timestamp(i) }))
    for (const each of sent) {
      line.play([each])
      if (Math.abs(line.leadMs) > BOUND_MS) expect.fail(`${line.leadMs} ms ahead`)
    }
  })

  it('whatever it sends, media time keeps to time', () => {
    const packet = fc.record({
      waitMs: fc.oneof(fc.constantFrom(0, 1, 20), fc.double({ min: 0, max: 300, noNaN: true })),
      payloadType: fc.constantFrom(0, 0, 0, 0, 13, 101, 8),
      sequence: fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 0xffff })),
      timestamp: fc.oneof(fc.nat({ max: 5000 }), fc.integer({ min: 0, max: 2 ** 32 - 1 })),
      ssrc: fc.constantFrom(1, 1, 1, 2, 3),
      samples: fc.constantFrom(0, 1, 80, 160, 160, 160, 333, 2036),
    })
    fc.assert(
      fc.property(fc.array(packet, { minLength: 1, maxLength: 150, size: 'max' }), packets => {
        const line = new Incoming().play(stream({ count: 1 }))
        let nowMs = 0
        for (const { waitMs, samples, ...header } of packets) {
          nowMs += waitMs
          line.wait(nowMs).play([{ ...header, atMs: nowMs, audio: new Uint8Array(samples) }])
          // The largest of these packets is 254.5 ms at once.
          expect(line.leadMs).toBeLessThan(BOUND_MS + 255)
          expect(line.leadMs).toBeGreaterThan(-BOUND_MS)
        }
        expect(line.frames.map(frame => frame.mediaTimeMs)).toEqual(line.frames.map((_, i) => i * 20))
      }),
      { numRuns: 100 },
    )
  })
})

describe('digits, whose packets a PBX takes out of the stream,', () => {
  /** A key held for 100 ms: five packets, of which the last comes three times. */
  const pressedAt = (index: number) => Array.from({ length: 7 }, (_, i) => index + i)
  const sent = stream({ count: 200 })

  it('are no loss: told when they are released, and the gap shows 60 ms later', () => {
    const line = new Incoming().play(without(sent, ...pressedAt(50)).slice(0, 50), 1_100)
    line.figures.digitReleased(100, 1_100)
    line.play(without(sent, ...pressedAt(50)).slice(50))
    expect(line.figures.counts).toMatchObject({ packets: 193, lost: 0 })
  })

  it.each([1_320, 3_000])('are no loss when they are told after their gaps were, at %i ms', toldMs => {
    // A sender whose audio goes on meanwhile: one packet in two is the digit's.
    const taken = [50, 52, 54, 56, 58, 60, 62]
    const line = new Incoming().play(without(sent, ...taken).slice(0, 60))
    expect(line.figures.counts.lost).toBeGreaterThan(0)
    line.figures.digitReleased(100, toldMs)
    line.play(without(sent, ...taken).slice(60))
    expect(line.figures.counts.lost).toBe(0)
  })

  it('explain as many packets as they took, and only where they were', () => {
    const line = new Incoming().play(without(sent, 5, ...pressedAt(50), 58, 59, 60, 62, 100).slice(0, 49), 1_100)
    line.figures.digitReleased(100, 1_100)
    line.play(without(sent, 5, ...pressedAt(50), 58, 59, 60, 62, 100).slice(49))
    // One packet more than they took may have been theirs.
    expect(line.figures.counts.lost).toBe(5)
    line.figures.digitReleased(100, 60_000)
    expect(line.figures.counts.lost).toBe(5)
  })

  it('never take more from the loss than there is, though what they explained comes after all', () => {
    const line = new Incoming().play(without(sent, 50).slice(0, 60))
    line.figures.digitReleased(100, 1_200)
    line.play([{ ...sent[50]!, atMs: 1_201 }])
    expect(line.figures.counts).toMatchObject({ lost: 0, late: 1 })
  })
})
