import { describe, expect, it } from 'vitest'
import { click, loudSound } from '../../../bench/conversation/sounds.ts'
import { Talker } from '../../../bench/conversation/talker.ts'
import { FakeCaller } from './fake-caller.ts'

const silence = new Int16Array(160)
const speech = loudSound(20)

function conversation() {
  const caller = new FakeCaller()
  caller.lateMs.push(9)
  const { clock } = caller
  return { clock, caller, talker: new Talker({ clock, random: () => 0.5 }, caller, 'ulaw') }
}

describe('a talker', () => {
  it('measures from its click to the first packet of the reply, and between the packets of it', () => {
    const { clock, caller, talker } = conversation()
    caller.receive(silence)
    caller.send(silence)
    clock.advance(20)
    caller.send(click)
    clock.advance(3)
    caller.receive(silence)
    clock.advance(4)
    caller.receive(speech)
    clock.advance(21)
    caller.receive(speech)
    clock.advance(19)
    caller.receive(silence)
    clock.advance(20)
    caller.receive(speech)
    expect(talker.finish()).toMatchObject({ pathMs: [7], spacingMs: [21], packets: 6, missing: 0, unanswered: 0 })
  })

  it('counts frames that never came, across the wrap of timestamps too', () => {
    const { caller, talker } = conversation()
    caller.receive(silence, 26_843_543)
    caller.receive(silence, 3)
    caller.receive(speech, 2)
    expect(talker.finish()).toMatchObject({ packets: 3, missing: 3 })
  })

  it('counts a click that nobody replied to before the next one, and the last one', () => {
    const { clock, caller, talker } = conversation()
    talker.click(100)
    clock.advance(50)
    caller.send(click)
    clock.advance(100)
    expect(caller.asked).toHaveLength(2)
    caller.send(click)
    talker.stopClicking()
    clock.advance(1_000)
    expect(caller.asked).toHaveLength(2)
    expect(talker.finish().unanswered).toBe(2)
  })

  it('tells only of its own time how late packets left', () => {
    const { caller, talker } = conversation()
    caller.lateMs.push(1, 2)
    expect(talker.finish().callerLateMs).toEqual([1, 2])
  })
})
