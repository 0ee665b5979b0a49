import { describe, expect, it } from 'vitest'
import type { CallEvent } from '../../src/call/events.ts'
import type { Journal } from '../../src/call/journal.ts'
import type { RecordingEnd } from '../../src/call/kept-events.ts'
import type { EndedRecording, Handler, Line, LiveCall, Recorder, WantedRecording } from '../../src/call/ports.ts'
import { unfinishedCalls } from '../../src/call/unfinished.ts'
import { limits } from '../../src/limits.ts'
import { FakeLeg } from '../support/fake-leg.ts'
import { answerAndWait, business, house } from './house.ts'

interface Take {
  readonly line: Line
  readonly wanted: WantedRecording
  why: RecordingEnd | undefined
  ends(ended: EndedRecording): void
}

/** Keeps the first take of each name as a file, and ends what it is told to. */
function fakeRecorder(): { recorder: Recorder; takes: Take[] } {
  const takes: Take[] = []
  const recorder: Recorder = {
    capture: () => undefined,
    begin(line, wanted) {
      const again = takes.some(take => take.wanted.id === wanted.id)
      const { promise: ended, resolve } = Promise.withResolvers<EndedRecording>()
      const take: Take = { line, wanted, why: undefined, ends: resolve }
      takes.push(take)
      return {
        again,
        ended,
        end(why) {
          take.why ??= why
          resolve({ why: take.why, seconds: 1.2, shedFrames: 0 })
          return ended
        },
      }
    },
  }
  return { recorder, takes }
}

const enabled = { ...business, recording: { ...business.recording, enabled: true } }
const recordings = (facts: readonly { readonly name: string }[]) =>
  facts.filter(({ name }) => name.startsWith('recording')).map(({ name }) => name)

function open(options: Parameters<typeof house>[1] = {}, handler?: Handler) {
  const { recorder, takes } = fakeRecorder()
  let live: LiveCall | undefined
  const keep: Handler = (call, scope) => {
    live = call
    return (handler ?? answerAndWait)(call, scope)
  }
  const opened = house(keep, { addressee: { business: enabled }, recorder, ...options })
  return { ...opened, takes, live: () => live! }
}

/** What the next life of the gateway finds in the journal. */
async function known(events: readonly CallEvent[]): Promise<readonly CallEvent[]> {
  const read: Journal['read'] = async ({ byte }) => ({
    ...{ events: byte === 0 ? [...events] : [], next: { segment: 1, byte: 1 }, missed: 0 },
  })
  return (await unfinishedCalls({ read })).get('a')?.events ?? []
}

describe('the recording of a call', () => {
  it('begins when the caller has been told, and ends with the call', async () => {
    const { clock, offer, factsOf, takes, live, nothingIsLeft } = open()
    const leg = await offer(new FakeLeg('a'))
    await clock.run(1_000)
    expect(live().recording?.announcement).toBe(business.recording.announcement)
    expect(takes).toEqual([])
    live().recording?.announced()
    expect(takes).toHaveLength(1)
    const { id, sides } = takes[0]!.wanted
    expect(id).toMatch(/^[\w-]{22}$/)
    expect(sides).toBe('both')
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.run(1_000)
    expect(recordings(factsOf('a'))).toEqual(['recordingAnnounced', 'recordingBegan', 'recordingEnded'])
    expect(factsOf('a').find(({ name }) => name === 'recordingEnded')).toEqual({
      ...{ name: 'recordingEnded', recording: id, seconds: 2, why: 'callEnded', shedFrames: 0 },
    })
    nothingIsLeft()
  })

  it('is none where the business does not want it, or nobody was told', async () => {
    for (const options of [{ addressee: { business } }, {}]) {
      const { clock, offer, factsOf, takes, live } = open(options)
      const leg = await offer(new FakeLeg('a'))
      await clock.run(1_000)
      if (options.addressee) expect(live().recording).toBeUndefined()
      leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
      await clock.run(1_000)
      expect(takes).toEqual([])
      expect(recordings(factsOf('a'))).toEqual([])
    }
  })

  it('that an operator has stopped stays so, and is told at once', async () => {
    const { clock, offer, exchange, factsOf, takes, live } = open()
    const leg = await offer(new FakeLeg('a'))
    await clock.run(1_000)
    live().recording?.announced()
    expect(exchange.find('a')?.stopRecording()).toBe(true)
    await clock.settle()
    expect(factsOf('a').at(-1)).toMatchObject({ name: 'recordingEnded', why: 'stopped' })
    live().recording?.announced()
    expect(exchange.find('a')?.stopRecording()).toBe(false)
    expect(takes).toHaveLength(1)
    leg.happen({ kind: 'gone', how: 'hungUp', cause: 'normal' })
    await clock.run(1_000)
    expect(recordings(factsOf('a'))).toEqual([
      ...['recordingAnnounced', 'recordingBegan', 'recordingStopped', 'recordingEnded'],
    ])
  })

  it('that an operator has stopped while it was announced does not begin', async () => {
    const { clock, offer, exchange, factsOf, takes, live } = open()
    await offer(new FakeLeg('a'))
    await clock.run(1_000)
    const { recording } = live()
    expect(exchange.find('a')?.stopRecording()).toBe(true)
    expect(exchange.find('a')?.stopRecording()).toBe(false)
    recording?.announced()
    await clock.run(1_000)
    expect(recording?.announcement).toBeUndefined()
    expect([takes, recordings(factsOf('a'))]).toEqual([[], ['recordingStopped']])
  })

  it('that an operator stops while its caller is with somebody else is over, and told at once', async () => {
    const { clock, offer, exchange, factsOf, takes, live } = open()
    await offer(new FakeLeg('a'))
    await clock.run(1_000)
    live().recording?.announced()
    takes[0]!.ends({ why: 'transferred', seconds: 1, shedFrames: 0 })
    await clock.settle()
    expect(recordings(factsOf('a'))).toEqual(['recordingAnnounced', 'recordingBegan'])
    expect(exchange.find('a')?.stopRecording()).toBe(true)
    expect(factsOf('a').at(-1)).toMatchObject({ name: 'recordingEnded', why: 'stopped' })
  })

  it('that ends by itself for good does not begin again, and the call goes on', async () => {
    const { clock, offer, factsOf, takes, live, exchange } = open()
    await offer(new FakeLeg('a'))
    await clock.run(1_000)
    live().recording?.announced()
    takes[0]!.ends({ why: 'diskFull', seconds: 0.5, shedFrames: 3 })
    await clock.settle()
    expect(factsOf('a').at(-1)).toMatchObject({ why: 'diskFull', shedFrames: 3 })
    expect(exchange.find('a')?.state).toBe('live')
  })

  it('goes on in its file when a gateway takes the call over, unless somebody had stopped it', async () => {
    const first = open()
    await first.offer(new FakeLeg('a'))
    await first.clock.run(1_000)
    first.live().recording?.announced()
    const earlier = [...first.events]
    const { id } = first.takes[0]!.wanted

    const next = open({ earlier })
    await next.offer(new FakeLeg('a', { takenOver: true }))
    await next.clock.run(1_000)
    expect(next.live().recording?.announcement).toBeUndefined()
    expect(next.takes.map(({ wanted }) => wanted.id)).toEqual([id])
    expect(recordings(next.factsOf('a'))).toEqual(['recordingBegan'])

    first.exchange.find('a')?.stopRecording()
    await first.clock.settle()
    const stopped = open({ earlier: await known(first.events) })
    await stopped.offer(new FakeLeg('a', { takenOver: true }))
    await stopped.clock.run(1_000)
    expect(stopped.takes).toEqual([])
    expect(stopped.live().recording).toBeUndefined()
  })

  it.each(['had no room any more', 'was stopped while it was announced', 'was stopped, and killed at that moment'])(
    'does not begin again with the gateway that takes the call over when it %s',
    async how => {
      const first = open()
      await first.offer(new FakeLeg('a'))
      await first.clock.run(1_000)
      const isAnnounced = !how.endsWith('announced')
      if (isAnnounced) first.live().recording?.announced()
      if (how.endsWith('any more')) first.takes[0]!.ends({ why: 'diskFull', seconds: 1, shedFrames: 0 })
      else first.exchange.find('a')?.stopRecording()
      const atOnce = [...first.events]
      await first.clock.settle()
      const later = how.endsWith('moment') ? atOnce : first.events
      const next = open({ earlier: await known(later) })
      await next.offer(new FakeLeg('a', { takenOver: true }))
      await next.clock.run(1_000)
      next.live().recording?.announced()
      expect([next.takes, next.live().recording]).toEqual([[], undefined])
    },
  )

  it('does not begin again however much had been told of the call before it was stopped', async () => {
    const first = open()
    await first.offer(new FakeLeg('a'))
    await first.clock.run(1_000)
    for (let times = 0; times < limits.call.eventsKept; times++)
      first.live().emit({ name: 'callerSpoke', private: { text: 'and so on' } })
    first.exchange.find('a')?.stopRecording()
    const next = open({ earlier: await known(first.events) })
    await next.offer(new FakeLeg('a', { takenOver: true }))
    await next.clock.run(1_000)
    expect(next.live().recording).toBeUndefined()
  })

  it('tells whoever was taken over and had not been told', async () => {
    const { clock, offer, takes, live } = open({ earlier: [] })
    await offer(new FakeLeg('a', { takenOver: true }))
    await clock.run(1_000)
    expect(live().recording?.announcement).toBe(business.recording.announcement)
    expect(takes).toEqual([])
  })
})
