import { describe, expect, it } from 'vitest'
import { escapeParameter, escapeUser, hostPort, parseNameAddress, tagOf } from '../../src/caller/address.ts'
import { requestIn } from '../../src/caller/dialog.ts'

describe('a named address', () => {
  it.each([
    ['<sip:a@h>;tag=1', 'sip:a@h', '1'],
    ['Name <sip:a@h;lr> ; x ; TAG = 2', 'sip:a@h;lr', '2'],
    ['"A <b>, \\"c\\"; tag=no" <sip:a@h>;tag=3', 'sip:a@h', '3'],
    ['sip:a@h;tag=4', 'sip:a@h', '4'],
    ['<sip:a@h;tag=inside>', 'sip:a@h;tag=inside', undefined],
    ['<tel:+15550100199>;tag=a=b', 'tel:+15550100199', 'a=b'],
  ])('is read from %s', (value, uri, tag) => {
    expect(parseNameAddress(value)?.uri).toBe(uri)
    expect(tagOf(value)).toBe(tag)
  })

  it.each(['', '*', '<sip:a@h', '<>', 'no uri', '<sip:a b@h>', '"never closed <sip:a@h>'])('is refused: %s', value => {
    const parsed = parseNameAddress(value)
    expect(parsed === undefined || parsed.uri === 'sip:a@h').toBe(true)
    expect(tagOf(value)).toBeUndefined()
  })
})

it('escapes only what must be', () => {
  expect(escapeParameter('a-b_c:[1]/$&+;,"{é}')).toBe('a-b_c:[1]/$&+%3B%2C%22%7B%C3%A9%7D')
  expect(escapeUser('+1 (555);x=2@h<')).toBe('+1%20(555);x=2%40h%3C')
  expect(hostPort({ address: '2001:db8::1', port: 5 })).toBe('[2001:db8::1]:5')
})

it('addresses a request by way of a strict router to the router itself (RFC 3261 section 12.2.1.1)', () => {
  const dialog = {
    callId: 'c',
    local: '<sip:a@h>;tag=1',
    remote: '<sip:b@h>;tag=2',
    remoteTag: '2',
    target: 'sip:desk@callee',
    routes: ['<sip:old>', '<sip:next;lr>'],
    lastSequence: 1,
    remoteSequence: 0,
  }
  const routesOf = (routes: string[]) => {
    const { uri, headers } = requestIn({ ...dialog, routes }, 'BYE', 2, [])
    return [uri, ...headers.filter(([name]) => name === 'Route').map(([, value]) => value)]
  }
  expect(routesOf(['<sip:old>', '<sip:next;lr>'])).toEqual(['sip:old', '<sip:next;lr>', '<sip:desk@callee>'])
  expect(routesOf(['<sip:next;lr>', '<sip:old>'])).toEqual(['sip:desk@callee', '<sip:next;lr>', '<sip:old>'])
  expect(routesOf(['<sip:next;transport=tcp;lr=on>'])).toEqual(['sip:desk@callee', '<sip:next;transport=tcp;lr=on>'])
  expect(routesOf([])).toEqual(['sip:desk@callee'])
})
