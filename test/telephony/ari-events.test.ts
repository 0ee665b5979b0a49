import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readEvent } from '../../src/telephony/ari-events.ts'

const channel = { id: '1', state: 'Ring', name: 'PJSIP/trunk-1' }

describe('an event of Asterisk', () => {
  it.each([
    [
      { type: 'StasisStart', channel, args: ['inbound', 'x'] },
      { kind: 'entered', channel: '1', args: ['inbound', 'x'] },
    ],
    [
      { type: 'StasisStart', channel },
      { kind: 'entered', channel: '1', args: [] },
    ],
    [
      { type: 'StasisEnd', channel },
      { kind: 'left', channel: '1' },
    ],
    [
      { type: 'ChannelDestroyed', channel, cause: 16 },
      { kind: 'ended', channel: '1', cause: 16 },
    ],
    [
      { type: 'ChannelHangupRequest', channel, cause: 16 },
      { kind: 'hangupRequested', channel: '1', cause: 16 },
    ],
    [
      { type: 'ChannelHangupRequest', channel, soft: true },
      { kind: 'hangupRequested', channel: '1', cause: undefined },
    ],
    [
      { type: 'ChannelDtmfReceived', channel, digit: '#', duration_ms: 120 },
      { kind: 'digit', channel: '1', digit: '#', heldMs: 120 },
    ],
    [
      { type: 'ChannelDtmfReceived', channel, digit: '#' },
      { kind: 'digit', channel: '1', digit: '#', heldMs: 0 },
    ],
    [{ type: 'ChannelDtmfReceived', channel }, undefined],
    [
      { type: 'ChannelHold', channel },
      { kind: 'held', channel: '1' },
    ],
    [
      { type: 'ChannelUnhold', channel },
      { kind: 'unheld', channel: '1' },
    ],
    [{ type: 'ApplicationReplaced', application: 'parley' }, { kind: 'replaced' }],
    [{ type: 'ChannelVarset', channel, variable: 'x' }, undefined],
    [
      { type: 'Dial', caller: { id: '2' }, peer: channel, dialstatus: 'RINGING' },
      { kind: 'dialled', channel: '1', status: 'RINGING' },
    ],
    [{ type: 'Dial', peer: channel }, undefined],
    [{ type: 'StasisEnd', channel: { id: 7 } }, undefined],
  ])('%j', (raw, event) => {
    expect(readEvent(raw)).toEqual(event)
  })

  it('of any other form is none, and throws nothing', () => {
    fc.assert(fc.property(fc.anything(), raw => void readEvent(raw)))
    const type = fc.constantFrom('StasisStart', 'StasisEnd', 'ChannelHangupRequest', 'ChannelDtmfReceived', 'Dial')
    fc.assert(
      fc.property(
        fc.record({ type, channel: fc.anything(), peer: fc.anything(), args: fc.anything(), digit: fc.anything() }),
        raw => {
          const event = readEvent(raw)
          if (event && 'channel' in event) expect(typeof event.channel).toBe('string')
        },
      ),
    )
  })
})
