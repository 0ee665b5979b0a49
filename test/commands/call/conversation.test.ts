import { beforeEach, describe, expect, it } from 'vitest'
import type { CallerTurn, Happening } from '../../../src/commands/call/conversation.ts'
import { limits } from '../../../src/limits.ts'
import { toneGenerator } from '../../../src/media/tone.ts'
import { FakePhone } from './phone.ts'

let phone: FakePhone

beforeEach(() => {
  phone = new FakePhone()
})

/** A sound of this length, with silence before and behind it. */
function says(
  words: string,
  ms: number,
  more: { leadMs?: number; tailMs?: number; interrupting?: boolean } = {},
): CallerTurn {
  const { leadMs = 0, tailMs = 0, interrupting = false } = more
  const samples = new Int16Array(8 * (leadMs + ms + tailMs))
  toneGenerator(8_000, 300, -16)(samples.subarray(8 * leadMs, 8 * (leadMs + ms)))
  return { kind: 'say', words, samples, interrupting }
}

const kinds = () => phone.happened.map(each => each.kind)

function all<K extends Happening['kind']>(kind: K): Extract<Happening, { kind: K }>[] {
  return phone.happened.filter((each): each is Extract<Happening, { kind: K }> => each.kind === kind)
}

/** Answered, and greeted 40 ms later for a second. */
async function greeted(plan: Parameters<FakePhone['hold']>[0]): Promise<Promise<void>> {
  const held = phone.hold(plan)
  phone.answer()
  phone.sounds({ inMs: 40, forMs: 1_000 })
  await phone.clock.settle()
  return held
}

describe('turns', () => {
  it('hears the greeting, speaks when the agent has finished, hears the answer, and hangs up', async () => {
    phone.reply = { inMs: 700, forMs: 2_000 }
    void greeted({ turns: [says('one', 500), says('two', 800)] })
    await phone.clock.run(20_000)
    expect(kinds()).toEqual([
      'answered',
      'agentBegan',
      'agentStopped',
      ...['callerBegan', 'callerStopped', 'agentBegan', 'agentStopped'],
      ...['callerBegan', 'callerStopped', 'agentBegan', 'agentStopped'],
      'ended',
    ])
    const [greeting, first, second] = all('agentBegan')
    expect(greeting).toMatchObject({ atMs: 40, afterMs: undefined })
    expect([first?.afterMs, second?.afterMs]).toEqual([700, 700])
    expect(all('agentStopped').map(each => each.spokeMs)).toEqual([1_000, 2_000, 2_000])
    // The caller's turn comes when the agent has been silent for 900 ms.
    const waited = all('callerBegan').map((each, index) => each.atMs - all('agentStopped')[index]!.atMs)
    for (const ms of waited) expect(ms).toBeGreaterThanOrEqual(900)
    for (const ms of waited) expect(ms).toBeLessThan(940)
    expect(all('ended')[0]?.ending.by).toBe('caller')
    expect(phone.clock.pending).toBe(0)
  })

  it('measures from the last sound of what was said to the first of the answer, not from its silent edges', async () => {
    phone.reply = { inMs: 600, forMs: 500 }
    void greeted({ turns: [says('one', 500, { leadMs: 200, tailMs: 300 })] })
    await phone.clock.run(20_000)
    expect(all('agentBegan')[1]?.afterMs).toBe(900)
    const began = all('callerBegan')[0]!
    expect(all('callerStopped')[0]!.atMs - began.atMs).toBe(700)
  })

  it('takes a pause within what the agent says for no end of it', async () => {
    phone.reply = { inMs: 500, forMs: 400 }
    void greeted({ turns: [says('one', 500)] })
    phone.sounds({ inMs: 1_700, forMs: 800 })
    await phone.clock.run(20_000)
    expect(all('agentStopped')[0]).toMatchObject({ atMs: 2_500, spokeMs: 2_460 })
  })

  it('takes no click for the agent', async () => {
    void phone.hold({})
    phone.answer()
    phone.sounds({ inMs: 100, forMs: 20 })
    await phone.clock.run(limits.caller.agentBeginsMs + 100)
    expect(kinds()).toEqual(['answered', 'agentSilent', 'ended'])
  })

  it('hears an answer that comes before the sentence has ended, and says so', async () => {
    void greeted({ turns: [says('one', 2_000)] })
    // The caller begins at about 1,960 and ends 2,000 later.
    phone.sounds({ inMs: 3_500, forMs: 1_500 })
    await phone.clock.run(20_000)
    const [, answer] = all('agentBegan')
    expect(answer?.atMs).toBe(3_500)
    expect(answer?.afterMs).toBeLessThan(0)
  })

  it('takes what the agent says within the sentence for no answer to the whole of it', async () => {
    phone.reply = { inMs: 500, forMs: 500 }
    void greeted({ turns: [says('one', 3_000)] })
    phone.sounds({ inMs: 2_500, forMs: 300 })
    await phone.clock.run(20_000)
    expect(all('agentBegan')[1]?.afterMs).toBe(500)
  })

  it('presses keys in its turn', async () => {
    phone.reply = { inMs: 1_500, forMs: 400 }
    void greeted({ turns: [{ kind: 'press', digits: '12#' }] })
    await phone.clock.run(20_000)
    expect(all('callerStopped')[0]!.atMs - all('callerBegan')[0]!.atMs).toBe(540)
    expect(all('agentBegan')[1]?.afterMs).toBe(1_500)
  })
})

describe('an agent that does not keep to its turns', () => {
  it('and never speaks is waited for, and no longer', async () => {
    void phone.hold({ turns: [says('one', 500)] })
    phone.answer()
    await phone.clock.run(60_000)
    expect(kinds()).toEqual(['answered', 'agentSilent', 'callerBegan', 'callerStopped', 'agentSilent', 'ended'])
    expect(all('ended')[0]!.atMs).toBeLessThan(2 * limits.caller.agentBeginsMs + 1_000)
    expect(phone.clock.pending).toBe(0)
  })

  it('and sends no packet at all is waited for as well', async () => {
    phone.packetsCome = false
    void greeted({})
    await phone.clock.run(60_000)
    expect(kinds()).toEqual(['answered', 'agentSilent', 'ended'])
  })

  it('and never stops is spoken to all the same, and left at the end', async () => {
    void phone.hold({ turns: [says('one', 500)] })
    phone.answer()
    phone.sounds({ inMs: 0, forMs: 1_000_000 })
    await phone.clock.run(200_000)
    const told = ['answered', 'agentBegan', 'agentSpeaksOn', 'callerBegan', 'callerStopped', 'agentInterrupted']
    expect(kinds()).toEqual([...told, 'agentSilent', 'agentStopped', 'ended'])
    expect(all('agentInterrupted')[0]).toMatchObject({ how: 'spokeOn', silentAfterMs: undefined })
    expect(all('ended')[0]!.atMs).toBeLessThan(limits.caller.agentSpeaksMs + limits.caller.fallsSilentMs + 16_000)
  })

  it('and whose packets stop is taken to have stopped', async () => {
    void phone.hold({})
    phone.answer()
    phone.sounds({ inMs: 0, forMs: 60_000 })
    await phone.clock.run(2_000)
    phone.packetsCome = false
    await phone.clock.run(2_000)
    expect(kinds()).toEqual(['answered', 'agentBegan', 'agentStopped', 'ended'])
  })
})

describe('an interruption', () => {
  const interrupting = (ms = 1_500) => says('wait', ms, { leadMs: 100, interrupting: true })

  it('begins a second into the answer, and tells how long the agent went on', async () => {
    void greeted({ turns: [says('one', 500), interrupting()] })
    await phone.clock.run(2_600)
    // The first sentence is over; its answer begins and would last for ten seconds.
    phone.sounds({ inMs: 300, forMs: 10_000 })
    await phone.clock.run(1_340)
    expect(kinds().at(-1)).toBe('callerBegan')
    const [, wait] = all('callerBegan')
    const [, answer] = all('agentBegan')
    expect(wait!.atMs - answer!.atMs).toBe(1_000)
    phone.fallsSilentIn(wait!.atMs + 100 + 320 - phone.clock.now())
    await phone.clock.run(1_000)
    // It is told at once, not at the end of the sentence.
    expect(kinds().at(-1)).toBe('agentStopped')
    await phone.clock.run(1_000)
    phone.sounds({ inMs: 0, forMs: 400 })
    await phone.clock.run(20_000)
    expect(all('agentInterrupted')[0]).toMatchObject({ how: 'fellSilent', silentAfterMs: 320 })
    expect(kinds().slice(-5)).toEqual(['callerStopped', 'agentInterrupted', 'agentBegan', 'agentStopped', 'ended'])
  })

  it('of an agent that has finished is none', async () => {
    phone.reply = { inMs: 300, forMs: 200 }
    void greeted({ turns: [says('one', 500), interrupting()] })
    await phone.clock.run(30_000)
    expect(all('agentInterrupted')[0]).toMatchObject({ how: 'wasSilent', silentAfterMs: undefined })
    expect(all('agentBegan')).toHaveLength(3)
  })
})

describe('the end', () => {
  it('by the agent in the middle of the sentence ends the turns', async () => {
    void greeted({ turns: [says('one', 5_000), says('two', 500)] })
    await phone.clock.run(4_000)
    void phone.hangup('callee')
    await phone.clock.run(100)
    expect(kinds().slice(-2)).toEqual(['callerBegan', 'ended'])
    expect(all('ended')[0]?.ending.by).toBe('callee')
    expect(phone.clock.pending).toBeLessThanOrEqual(1)
  })

  it('by the agent with its last word tells of that word first', async () => {
    void greeted({ turns: [says('one', 500)] })
    await phone.clock.run(800)
    void phone.hangup('callee')
    await phone.clock.run(100)
    expect(kinds()).toEqual(['answered', 'agentBegan', 'agentStopped', 'ended'])
    expect(all('agentStopped')[0]?.spokeMs).toBe(780)
  })

  it('comes when it was asked for, whatever is being said', async () => {
    void greeted({ turns: [says('one', 20_000)], hangupAfterMs: 3_000 })
    await phone.clock.run(3_100)
    expect(kinds().at(-1)).toBe('ended')
    expect(all('ended')[0]).toMatchObject({ atMs: 3_000, ending: { by: 'caller' } })
  })

  it('comes after the longest that a test call may last', async () => {
    void greeted({ turns: Array.from({ length: 100 }, (_, i) => says(String(i), 10_000)), hangupAfterMs: undefined })
    await phone.clock.run(limits.caller.callMs + 1_000)
    expect(all('ended')[0]?.atMs).toBe(limits.caller.callMs)
  })

  it('comes without a call where it is refused', async () => {
    const held = phone.hold({ turns: [says('one', 500)] })
    phone.refuse(503, 'Service Unavailable')
    await held
    expect(phone.happened).toMatchObject([{ kind: 'unanswered', status: 503, reason: 'Service Unavailable' }])
    expect(phone.clock.pending).toBe(0)
  })

  it('comes without a call where nobody answers in time', async () => {
    void phone.hold({})
    await phone.clock.run(limits.caller.ringMs + 10)
    expect(phone.happened).toMatchObject([{ kind: 'unanswered', status: 487 }])
  })
})
