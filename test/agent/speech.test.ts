import { describe, expect, it } from 'vitest'
import { Speech, type Utterance } from '../../src/agent/speech.ts'
import type { Heard } from '../../src/call/ports.ts'
import { limits } from '../../src/limits.ts'
import { FakeLine } from '../support/fake-line.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const second = () => new Uint8Array(8_000).fill(7)

function table() {
  const clock = new VirtualClock()
  const line = new FakeLine(clock)
  const log: string[] = []
  const heard = new Map<Utterance, Heard>()
  const speech = new Speech(line, clock, {
    started: utterance => log.push(`started ${utterance.text}`),
    heard: (utterance, each) => {
      heard.set(utterance, each)
      log.push(`heard ${each.text}${each.complete ? '' : ' in part'}`)
    },
    overflowed: utterance => log.push(`overflowed ${utterance.text}`),
    quiet: () => log.push('quiet'),
  })
  const stop = speech.attach()
  return { clock, line, speech, log, heard, stop }
}

function spoken(speech: Speech, text: string): Utterance {
  const utterance = speech.utterance('speech')
  utterance.write(second(), text)
  utterance.end()
  return utterance
}

describe('speech', () => {
  it('waits until the caller can hear it', () => {
    const { clock, line, speech, log } = table()
    spoken(speech, 'hello')
    expect(line.spokenTooEarly).toBe(0)
    line.connect()
    clock.advance(500)
    expect(line.soundingFrames).toEqual([])
    speech.release()
    clock.advance(2_000)
    expect(log).toEqual(['started hello', 'heard hello', 'quiet'])
    expect(line.soundingFrames).toHaveLength(50)
  })

  it('that is held waits, whoever resumes it, and goes on at its sample', async () => {
    const { clock, line, speech, log } = table()
    line.connect()
    speech.release()
    spoken(speech, 'hello')
    clock.advance(400)
    const before = line.soundingFrames.length
    const goOn = speech.hold()
    const holdAlso = speech.hold()
    speech.pause()
    speech.resume()
    goOn()
    clock.advance(1_000)
    expect(line.soundingFrames).toHaveLength(before)
    holdAlso()
    clock.advance(1_000)
    expect(log).toEqual(['started hello', 'heard hello', 'quiet'])
    expect(line.soundingFrames).toHaveLength(50)
  })

  it('that is held is let go of only when it is not paused, and stays held when all of it is cancelled', async () => {
    const { clock, line, speech } = table()
    line.connect()
    speech.release()
    const goOn = speech.hold()
    spoken(speech, 'hello')
    await speech.cancel()
    spoken(speech, 'again')
    clock.advance(500)
    expect(line.soundingFrames).toEqual([])
    speech.pause()
    goOn()
    clock.advance(500)
    expect(line.soundingFrames).toEqual([])
    speech.resume()
    clock.advance(1_100)
    expect(line.soundingFrames).toHaveLength(50)
  })

  it('that was cancelled before that is never heard', async () => {
    const { clock, line, speech } = table()
    spoken(speech, 'hello')
    await speech.cancel()
    line.connect()
    speech.release()
    clock.advance(2_000)
    expect(line.soundingFrames).toEqual([])
  })

  it('is ready with its first audio', async () => {
    const { speech, clock } = table()
    let ready = false
    void speech.ready.then(() => {
      ready = true
    })
    const utterance = speech.utterance('speech')
    await clock.settle()
    expect(ready).toBe(false)
    utterance.write(second(), '')
    await clock.settle()
    expect(ready).toBe(true)
  })

  it('plays in the order in which there was audio, whichever was begun first', () => {
    const { clock, line, speech, log } = table()
    line.connect()
    speech.release()
    const slow = speech.utterance('speech')
    spoken(speech, 'quick')
    slow.write(second(), 'slow')
    slow.end()
    clock.advance(3_000)
    expect(log).toEqual(['started quick', 'heard quick', 'started slow', 'heard slow', 'quiet'])
  })

  it('never plays what comes late for one that was cancelled', async () => {
    const { clock, line, speech, heard } = table()
    line.connect()
    speech.release()
    const cut = speech.utterance('speech')
    const unbegun = speech.utterance('speech')
    cut.write(second(), 'one two')
    clock.advance(500)
    const cancelled = speech.cancel()
    cut.write(second(), 'late')
    unbegun.write(second(), 'later')
    spoken(speech, 'next')
    expect(await cancelled).toBe(500)
    clock.advance(3_000)
    expect(heard.get(cut)).toMatchObject({ text: 'one', ms: 500, complete: false })
    expect(heard.has(unbegun)).toBe(false)
    expect(line.soundingFrames).toHaveLength(25 + 50)
    expect(speech.pending).toBe(false)
  })

  it('knows what was heard of each, also of one that ended while it was being cancelled', async () => {
    const { clock, line, speech, heard } = table()
    line.connect()
    speech.release()
    const first = spoken(speech, 'first')
    const second = spoken(speech, 'second')
    clock.advance(100)
    const whole = { utterance: 1, text: 'first', ms: 1_000, complete: true }
    line.cancel = async () => [{ utterance: 2, text: '', ms: 20, complete: false }]
    const cancelled = speech.cancel()
    line.tell({ kind: 'finished', heard: whole, atMs: 0 })
    expect(await cancelled).toBe(20)
    await speech.settled
    expect(heard.get(first)).toEqual(whole)
    expect(heard.get(second)?.ms).toBe(20)
  })

  it('does not wait for ever for a media thread that does not answer', async () => {
    const { clock, line, speech, heard, stop } = table()
    line.connect()
    speech.release()
    const utterance = spoken(speech, 'hello')
    line.cancel = () => new Promise(() => {})
    const cancelled = speech.cancel()
    await clock.run(limits.agent.heardMs)
    expect(await cancelled).toBe(0)
    expect(heard.get(utterance)).toMatchObject({ ms: 0, complete: false })
    stop()
    expect(line.attached).toBe(0)
  })

  it('takes no filler behind what it was to bridge', () => {
    const { clock, line, speech, log } = table()
    line.connect()
    speech.release()
    const filler = speech.utterance('filler')
    spoken(speech, 'reply')
    filler.write(second(), 'one moment')
    filler.end()
    clock.advance(3_000)
    expect(log).toEqual(['started reply', 'heard reply', 'quiet'])
  })

  it('ends an utterance that has become too long for the line', () => {
    const { clock, line, speech, log } = table()
    line.connect()
    speech.release()
    const endless = speech.utterance('speech')
    for (let i = 0; i < 130; i++) endless.write(second(), '')
    expect(endless.open).toBe(false)
    clock.advance(125_000)
    expect(log.at(-1)).toBe('quiet')
    expect(line.soundingFrames).toHaveLength(120 * 50)
  })
})

describe('speech that runs dry in mid-sentence', () => {
  function dry() {
    const stage = table()
    stage.line.connect()
    stage.speech.release()
    const utterance = stage.speech.utterance('speech')
    utterance.write(second(), 'one ')
    return { ...stage, utterance, dryMs: 1_000 + limits.agent.dryMs + 40 }
  }

  it('rests, so that a filler may be heard, and goes on behind it: all of it is told as one', () => {
    const { clock, speech, log, utterance, line, dryMs } = dry()
    clock.advance(dryMs)
    expect(speech.pending).toBe(false)
    expect(log).toEqual(['started one ', 'quiet'])
    const filler = speech.utterance('filler')
    filler.write(second(), 'one moment')
    filler.end()
    utterance.write(second(), 'two')
    clock.advance(500)
    utterance.end()
    clock.advance(2_000)
    expect(log.slice(2)).toEqual([
      'started one moment',
      'heard one moment',
      'started one two',
      'heard one two',
      'quiet',
    ])
    expect(utterance.heard).toMatchObject({ ms: 2_000, complete: true, text: 'one two' })
    expect(line.soundingFrames).toHaveLength(150)
    expect(clock.pending).toBe(1)
  })

  it('and was all there was has been heard whole', () => {
    const { clock, utterance, log, dryMs } = dry()
    clock.advance(dryMs)
    utterance.end()
    clock.advance(100)
    expect(utterance.heard).toMatchObject({ ms: 1_000, complete: true })
    expect(log).toEqual(['started one ', 'quiet', 'heard one ', 'quiet'])
  })

  it('and is cancelled then has been heard in part', async () => {
    const { clock, speech, utterance, log, dryMs } = dry()
    clock.advance(dryMs)
    const cancelled = speech.cancel()
    clock.advance(20)
    expect(await cancelled).toBe(1_000)
    expect(log.at(-1)).toBe('heard one  in part')
    utterance.write(second(), 'late')
    clock.advance(1_000)
    expect(utterance.heard).toMatchObject({ ms: 1_000, complete: false })
    expect(speech.pending).toBe(false)
  })

  it('is none while a pause holds it up', () => {
    const { clock, speech, log } = dry()
    clock.advance(300)
    speech.pause()
    clock.advance(5_000)
    speech.resume()
    clock.advance(700 + limits.agent.dryMs - 60)
    expect(log).toEqual(['started one '])
    clock.advance(140)
    expect(log).toEqual(['started one ', 'quiet'])
  })
})
