import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ApiUnreachable } from '../../../src/commands/api.ts'
import { SaidSide, wavOfCall } from '../../../src/commands/call/both-sides.ts'
import { GatewayRecord } from '../../../src/commands/call/gateway-record.ts'
import { turnsOf } from '../../../src/commands/call/sounds.ts'
import { limits } from '../../../src/limits.ts'
import { ENCODED } from '../../../src/media/g711.ts'
import { RtpWriter } from '../../../src/media/rtp.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { writeStereoWav } from '../../../src/media/wav.ts'
import { seeded } from '../../support/random.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

describe('the record of the gateway', () => {
  const at = (second: number) => `2026-01-05T09:00:0${second}.000Z`
  const said = (name: string, text: string) => ({ at: at(1), name, details: {}, private: { text } })

  function gateway() {
    const summary = { id: 'a', offeredAt: at(1), private: { callerNumber: '', parameters: { callSid: 'CA1' } } }
    const calls: object[] = [
      { ...summary, id: 'old', offeredAt: at(0) },
      summary,
      { ...summary, id: 'b', private: undefined },
    ]
    const detail = {
      id: 'a',
      offeredAt: at(1),
      state: 'live',
      events: [] as object[],
      rtp: { received: { packets: 7, lost: 1, jitterMs: 0.5 } },
    }
    const asked: string[] = []
    const get = async (path: string): Promise<unknown> => {
      asked.push(path)
      if (path.startsWith('/v1/calls?')) return { calls }
      return structuredClone(detail)
    }
    return { api: { address: 'http://127.0.0.1:3000', get: get as never }, calls, detail, asked }
  }

  const open = (api: ReturnType<typeof gateway>['api'], callSid = 'CA1', own = true) =>
    new GatewayRecord({ clock: new VirtualClock(), opening: Promise.resolve(api), callSid, own })

  it('tells once what has happened, of the newest call with this parameter', async () => {
    const { api, detail, asked } = gateway()
    const record = open(api)
    detail.events.push({ at: at(1), name: 'answered', details: {} }, said('agentSpoke', 'Hello.'))
    const atMs = Date.parse(at(1))
    expect(await record.news()).toEqual([
      { name: 'answered', atMs },
      { name: 'agentSpoke', atMs, text: 'Hello.' },
    ])
    const handedBack = { at: at(2), name: 'handedBack', details: { reason: 'engine failed' } }
    detail.events.push(said('callerSpoke', 'hi'), said('digitPressed', '5'), handedBack)
    expect(await record.news()).toEqual([
      { name: 'callerSpoke', atMs, text: 'hi' },
      { name: 'handedBack', atMs: Date.parse(at(2)), why: 'engine failed' },
    ])
    expect(await record.news()).toEqual([])
    expect(record.told).toMatchObject({ knowledge: 'told', missing: undefined })
    expect(record.told.facts).toHaveLength(4)
    expect(record.arrived).toMatchObject({ packets: 7, lost: 1 })
    expect(asked[1]).toBe('/v1/calls/a?private=true')
    expect(asked.filter(path => path.startsWith('/v1/calls?'))).toHaveLength(1)
  })

  it('waits for the record to be closed, and no longer than it may', async () => {
    const clock = new VirtualClock()
    const { api, detail } = gateway()
    const record = new GatewayRecord({ clock, opening: Promise.resolve(api), callSid: 'CA1', own: true })
    const last = record.lastNews()
    await clock.run(250)
    detail.events.push(said('agentSpoke', 'Goodbye.'))
    detail.state = 'ended'
    await clock.run(100)
    expect(await last).toMatchObject([{ name: 'agentSpoke', text: 'Goodbye.' }])
    detail.state = 'ending'
    const never = record.lastNews()
    await clock.run(1_100)
    expect(await never).toEqual([])
    expect(clock.pending).toBe(0)
  })

  it('says why it tells nothing, and whether that means that nobody of ours has the call', async () => {
    const { api } = gateway()
    const stranger = open(api, 'CA2')
    expect(await stranger.news()).toEqual([])
    expect(stranger.told).toMatchObject({
      knowledge: 'absent',
      missing: 'The gateway at http://127.0.0.1:3000 does not know this call.',
    })
    expect(stranger.arrived).toBeUndefined()
    const elsewhere = open(api, 'CA2', false)
    expect(await elsewhere.news()).toEqual([])
    expect(elsewhere.told.knowledge).toBe('unchecked')
    const opening = Promise.reject(new Error('There is no API token.'))
    const closed = new GatewayRecord({ clock: new VirtualClock(), opening, callSid: 'CA1', own: true })
    expect(await closed.lastNews()).toEqual([])
    expect(closed.told).toMatchObject({ knowledge: 'unchecked', missing: 'There is no API token.' })
  })

  it('is asked again after a look that failed: a gateway that is back tells that it has taken the call over', async () => {
    const { api, detail } = gateway()
    let away = false
    const get = async (path: string) => {
      if (away) throw new ApiUnreachable('Parley is not running.')
      return await (api.get as (path: string) => Promise<unknown>)(path)
    }
    const record = open({ ...api, get: get as never })
    detail.events.push({ at: at(1), name: 'answered', details: {} }, said('agentSpoke', 'Hello.'))
    expect(await record.news()).toHaveLength(2)
    away = true
    expect(await record.news()).toEqual([])
    expect(record.told).toMatchObject({ knowledge: 'lost', missing: 'Parley is not running.' })
    away = false
    // What it was killed too early to write down is not in the record that goes on.
    detail.events = ['offered', 'takenOver'].map(name => ({ at: at(3), name, details: {} }))
    expect(await record.news()).toEqual([{ name: 'takenOver', atMs: Date.parse(at(3)) }])
    expect(record.told.knowledge).toBe('told')
    expect(record.told.facts.map(({ name }) => name)).toEqual(['answered', 'agentSpoke', 'takenOver'])
  })

  it('is not waited for in the middle of a call when the gateway is frozen', async () => {
    const clock = new VirtualClock()
    const { api } = gateway()
    const frozen = { ...api, get: (() => new Promise(() => {})) as never }
    const record = new GatewayRecord({ clock, opening: Promise.resolve(frozen), callSid: 'CA1', own: true })
    const news = record.news()
    await clock.run(2_000)
    expect(await news).toEqual([])
    expect(record.told.missing).toBe('The gateway does not answer within 2 s.')
  })
})

describe('both sides of a call', () => {
  const tone = toneGenerator(8_000, 500, -12)(new Int16Array(160))

  it('stand on one clock: a packet was spoken before it left, and is heard from its arrival on', () => {
    const side = new SaidSide()
    const writer = new RtpWriter(0, seeded(1))
    const payload = Uint8Array.from(tone, sample => ENCODED.ulaw[sample & 0xffff]!)
    for (let n = 0; n < 5; n++) {
      const packet = new Uint8Array(12 + 160)
      writer.write(packet, n === 2 ? payload : new Uint8Array(160).fill(0xff), n === 0)
      side.sent(packet, 1_120 + 20 * n)
    }
    const keys = new Uint8Array(16)
    writer.writeAs(101, 0, keys, new Uint8Array(4), true)
    side.sent(keys, 1_220)
    side.sent(new Uint8Array(3), 1_220)
    const file = Buffer.from(wavOfCall({ sinceMs: 1_000, said: side, heard: tone, heardFromMs: 1_150 }))
    const channel = (at: number) =>
      Array.from({ length: (file.length - 44) / 4 }, (_, i) => file.readInt16LE(44 + 4 * i + at))
    const soundsMs = (samples: number[]) => {
      const loud = (sample: number) => Math.abs(sample) > 2_000
      return [samples.findIndex(loud) / 8, samples.findLastIndex(loud) / 8].map(ms => Math.round(ms))
    }
    expect(soundsMs(channel(0))).toEqual([140, 160])
    expect(soundsMs(channel(2))).toEqual([150, 170])
  })

  it('are empty without a packet', () => {
    const nothing = { sinceMs: 0, said: new SaidSide(), heard: new Int16Array(0), heardFromMs: undefined }
    expect(wavOfCall(nothing)).toHaveLength(44)
  })
})

describe('the sounds of what is asked', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'parley-sounds-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const tone = toneGenerator(8_000, 500, -12)(new Int16Array(800))
  const file = async (name: string, bytes: Uint8Array) => {
    const path = join(folder, name)
    await writeFile(path, bytes)
    return { kind: 'file', path, interrupting: false } as const
  }
  const quiet = () => {}
  const mute = () => Promise.reject(new Error('No speech program is here.'))

  it('are made or read before the call', async () => {
    const spoken: string[] = []
    const speak = async (words: string) => {
      spoken.push(words)
      return { rate: 16_000, samples: new Int16Array(1_600).fill(1_000 * words.length) }
    }
    const sentence = { kind: 'sentence', words: 'wait', interrupting: false } as const
    const wav = await file('tone.wav', writeStereoWav(tone, tone, 8_000))
    const turns = await turnsOf(
      [{ kind: 'keys', digits: '1' }, sentence, wav, { ...sentence, interrupting: true }],
      async () => speak,
      quiet,
    )
    expect(turns).toMatchObject([
      { kind: 'press', digits: '1' },
      { kind: 'say', words: 'wait', interrupting: false },
      { kind: 'say', words: wav.path, samples: tone },
      { kind: 'say', words: 'wait', interrupting: true },
    ])
    expect(spoken).toEqual(['wait', 'wait'])
    expect(turns[1]).toHaveProperty('samples.length', 800)
  })

  it('are told to be cut off where a file ends before its header says', async () => {
    const whole = writeStereoWav(tone, tone, 8_000)
    const told: string[] = []
    const warn = (words: string) => void told.push(words)
    await turnsOf([await file('whole.wav', whole)], mute, warn)
    const long = writeStereoWav(new Int16Array(8_000).fill(900), new Int16Array(0), 8_000)
    await turnsOf([await file('cut.wav', long.subarray(0, 44 + 4 * 240))], mute, warn)
    const unknown = Buffer.from(whole)
    unknown.writeUInt32LE(0xffff_ffff, 40)
    await turnsOf([await file('piped.wav', unknown)], mute, warn)
    expect(told).toEqual([
      expect.stringMatching(/cut\.wav is cut off: 30 of 1000 ms are there, and those are played\.$/),
    ])
  })

  it('are missing in words', async () => {
    const silent = await file('silent.wav', writeStereoWav(new Int16Array(80), new Int16Array(80), 8_000))
    const long = new Int16Array(8 * limits.media.unplayedMs + 8).fill(900)
    const large = await file('large.wav', new Uint8Array(0))
    await truncate(large.path, limits.caller.wavBytes + 1)
    const problem = (asked: Awaited<ReturnType<typeof file>>) => expect(turnsOf([asked], mute, quiet)).rejects
    await problem({ ...silent, path: join(folder, 'absent.wav') }).toThrow(/^There is no file .*absent\.wav\.$/)
    await problem({ ...silent, path: folder }).toThrow(/ is a folder\.$/)
    await problem({ ...silent, path: `${silent.path}/x.wav` }).toThrow(/cannot be read \(ENOTDIR\)\.$/)
    await problem(silent).toThrow(/silent\.wav holds nothing but silence\.$/)
    await problem(await file('text.wav', Buffer.from('hello'))).toThrow(/text\.wav is no WAV file\.$/)
    await problem(await file('long.wav', writeStereoWav(long, long, 8_000))).toThrow(/is longer than 120 seconds\.$/)
    await problem(large).toThrow(/large\.wav is too large\.$/)
    const says = (samples: Int16Array) => async () => async () => ({ rate: 8_000, samples })
    const sentence = { kind: 'sentence', words: '...', interrupting: false } as const
    await expect(turnsOf([sentence], says(new Int16Array(80)), quiet)).rejects.toThrow(
      /^Nothing can be heard of "\.\.\."/,
    )
    await expect(turnsOf([sentence], says(long), quiet)).rejects.toThrow(/takes longer than 120 seconds to say/)
    await expect(turnsOf([{ kind: 'sentence', words: 'a', interrupting: false }], mute, quiet)).rejects.toThrow(
      'No speech program',
    )
  })
})
