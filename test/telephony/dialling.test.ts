import { describe, expect, it } from 'vitest'
import { dialVariables, failureOf } from '../../src/telephony/dialling.ts'

describe('why nobody has answered', () => {
  it.each([
    [17, true, 'busy'],
    [17, false, 'busy'],
    [21, false, 'rejected'],
    [19, false, 'noAnswer'],
    [18, true, 'noAnswer'],
    [18, false, 'unreachable'],
    [1, false, 'unreachable'],
    [34, false, 'unreachable'],
    [38, true, 'unreachable'],
    [undefined, true, 'noAnswer'],
    [undefined, false, 'unreachable'],
  ] as const)('cause %s, after ringing: %s', (cause, rang, why) => {
    expect(failureOf(cause, rang)).toBe(why)
  })
})

describe('what is set before a channel is dialled', () => {
  it('is the caller and the X- headers', () => {
    expect(
      dialVariables(
        {
          callerId: { number: '+15550001', name: 'Ana Núñez' },
          headers: { 'X-Parley-Call': 'c1', 'X-Parley-Reason': 'a tooth, "now"' },
        },
        'PJSIP/trunk-1',
      ),
    ).toEqual({
      PARLEY_CALLER: 'PJSIP/trunk-1',
      'CHANNEL(hangup_handler_push)': 'dialled,s,1',
      'CHANNEL(musicclass)': 'waiting',
      'CONNECTEDLINE(num,i)': '+15550001',
      'CONNECTEDLINE(name,i)': 'Ana Núñez',
      'PJSIP_HEADER(add,X-Parley-Call)': 'c1',
      'PJSIP_HEADER(add,X-Parley-Reason)': 'a tooth, "now"',
    })
  })

  it('is nobody where the number is withheld', () => {
    expect(dialVariables({ callerId: { number: '' }, headers: {} }, 'PJSIP/trunk-1')).toMatchObject({
      'CONNECTEDLINE(num,i)': '',
      'CONNECTEDLINE(pres,i)': 'prohib',
    })
  })

  it('leaves out what would be another header, another function or another line', () => {
    const hostile = {
      callerId: { number: '1>\r\nX-A: b', name: '"A" <sip:b>\r\n' },
      headers: { Contact: 'x', 'X-A)': 'y' },
    }
    expect(
      dialVariables({ ...hostile, headers: { ...hostile.headers, 'X-B': 'one\r\nX-C: two' } }, 'PJSIP/trunk-1'),
    ).toEqual({
      PARLEY_CALLER: 'PJSIP/trunk-1',
      'CHANNEL(hangup_handler_push)': 'dialled,s,1',
      'CHANNEL(musicclass)': 'waiting',
      'CONNECTEDLINE(num,i)': '1X-Ab',
      'CONNECTEDLINE(name,i)': 'A sip:b',
      'PJSIP_HEADER(add,X-B)': 'one  X-C: two',
    })
  })
})
