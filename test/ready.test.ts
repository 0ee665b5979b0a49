import { expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'
import { readyScreen } from '../src/ready.ts'

it('ends the start with a line for programs and a screen for people', () => {
  const config = readConfig({ SIP_TCP_PORT: '5071', SIP_USER: 'anna' })
  expect(readyScreen(config, 'http://127.0.0.1:3000').split('\n')).toEqual([
    'parley ready: call sip:anna@127.0.0.1:5071;transport=tcp, API at http://127.0.0.1:3000, engine local (the built-in demo engine)',
    '',
    '  SIP      sip:anna@127.0.0.1:5071;transport=tcp',
    '  API      http://127.0.0.1:3000/v1/calls',
    '  engine   local (the built-in demo engine)',
    '  try      npm run call -- "I would like an appointment tomorrow at three"',
    '',
  ])
})

it('tells the address that the far end sees, too', () => {
  const config = readConfig({ EXTERNAL_ADDRESS: '203.0.113.7' })
  expect(readyScreen(config, 'http://127.0.0.1:3000')).toContain(
    '\n  outside  sip:bianca@203.0.113.7:5061;transport=tcp\n',
  )
})
