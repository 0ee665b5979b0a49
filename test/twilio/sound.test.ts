import { expect, it } from 'vitest'
import { redirectIn } from '../../src/twilio/sound.ts'

const from = new URL('https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1.wav')
const to = (location: string, status = 302, base = from) =>
  redirectIn({ status, headers: new Headers({ location }) }, base)?.href

it('follows Twilio to where it keeps a recording', () => {
  expect(to('https://media.twilio.com/a?b=c')).toBe('https://media.twilio.com/a?b=c')
  expect(to('/elsewhere.wav', 307)).toBe('https://api.twilio.com/elsewhere.wav')
  expect(to('https://anywhere.example.com/', 200)).toBeUndefined()
  const double = new URL('http://127.0.0.1:4000/a')
  expect(to('/b', 302, double)).toBe('http://127.0.0.1:4000/b')
})

it.each([
  'https://twilio.com.example.com/a',
  'https://eviltwilio.com/a',
  'http://media.twilio.com/a',
  'https://media.twilio.com:8443/a',
  'http://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  '//127.0.0.1/a',
  'https://',
])('and nowhere else: %j', location => {
  expect(() => to(location)).toThrow('an address that is none of the carrier')
})
