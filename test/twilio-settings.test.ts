import { describe, expect, it } from 'vitest'
import { readConfig } from '../src/config.ts'

function problemOf(environment: Record<string, string>): string {
  try {
    readConfig(environment)
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

const token = '0123456789abcdef0123456789abcdef'

describe('the settings of the Twilio edge', () => {
  it('need nothing, and then believe nobody', () => {
    expect(readConfig({}).twilio).toMatchObject({
      publicBaseUrl: undefined,
      sipDomain: undefined,
      webhooks: 'signed',
      legToken: 'optional',
      trustedProxies: ['127.0.0.1/32'],
      callsOut: 5,
    })
    expect(readConfig({}).smtp).toBeUndefined()
  })

  it('are read', () => {
    const { twilio, smtp } = readConfig({
      PUBLIC_BASE_URL: 'https://parley.example.com/edge/',
      SIP_DOMAIN: 'sip.example.com',
      TWILIO_AUTH_TOKEN: token,
      TWILIO_LEG_TOKEN: 'required',
      TWILIO_WEBHOOKS: 'unsigned',
      TWILIO_WHATSAPP_NUMBER: '+15550100300',
      TRUSTED_PROXIES: '10.0.0.0/8',
      OUTBOUND_CALLS: '0',
      SMTP_URL: 'smtps://u:p@mail.example.com:465',
      SMTP_FROM: 'parley@example.com',
    })
    expect(twilio).toMatchObject({
      publicBaseUrl: 'https://parley.example.com/edge',
      sipDomain: 'sip.example.com',
      legToken: 'required',
      webhooks: 'unsigned',
      whatsappNumber: '+15550100300',
      trustedProxies: ['10.0.0.0/8'],
      callsOut: 0,
    })
    expect(smtp?.url.reveal()).toBe('smtps://u:p@mail.example.com:465')
  })

  it('take the public address of the machine for the host that is dialled', () => {
    expect(readConfig({ EXTERNAL_ADDRESS: '203.0.113.7' }).twilio.sipDomain).toBe('203.0.113.7')
    expect(readConfig({ EXTERNAL_ADDRESS: '203.0.113.7', SIP_DOMAIN: '203.0.113.8' }).twilio.sipDomain).toBe(
      '203.0.113.8',
    )
  })

  it('let webhooks come in the clear on this machine alone', () => {
    for (const here of ['http://127.0.0.1:3000', 'http://localhost', 'http://[::1]:80']) {
      expect(problemOf({ PUBLIC_BASE_URL: here })).toBe('')
    }
    expect(problemOf({ PUBLIC_BASE_URL: 'http://parley.example.com' })).toContain('must begin with https://')
  })

  it.each([
    [{ PUBLIC_BASE_URL: 'ftp://parley.example.com' }, 'PUBLIC_BASE_URL must be an address that begins with'],
    [{ PUBLIC_BASE_URL: 'https://parley.example.com?x=1' }, 'PUBLIC_BASE_URL must be an address alone'],
    [{ SIP_DOMAIN: 'sip.example.com:5061' }, 'SIP_DOMAIN must be the name'],
    [{ TWILIO_LEG_TOKEN: 'required' }, 'TWILIO_LEG_TOKEN=required needs TWILIO_AUTH_TOKEN'],
    [{ TWILIO_LEG_TOKEN: 'yes' }, 'TWILIO_LEG_TOKEN must be one of optional, required'],
    [{ TWILIO_WEBHOOKS: 'off' }, 'TWILIO_WEBHOOKS must be one of signed, unsigned'],
    [{ TRUSTED_PROXIES: 'nginx' }, 'TRUSTED_PROXIES must list networks'],
    [{ OUTBOUND_CALLS: '101' }, 'OUTBOUND_CALLS must be a whole number from 0 to 100'],
    [{ TWILIO_WHATSAPP_NUMBER: 'whatsapp:+1555' }, 'TWILIO_WHATSAPP_NUMBER must be a telephone number'],
    [{ SMTP_URL: 'smtps://mail.example.com' }, 'SMTP_URL and SMTP_FROM must be set together'],
    [{ SMTP_FROM: 'Parley' }, 'SMTP_FROM must be an address of mail'],
  ])('say what is wrong: %j', (environment, words) => {
    expect(problemOf(environment)).toContain(words)
  })

  it('never repeat a password', () => {
    const words = problemOf({ SMTP_URL: 'mail:pass-word', SMTP_FROM: 'parley@example.com' })
    expect(words).toContain('SMTP_URL must be an address such as')
    expect(words).not.toContain('pass-word')
  })
})
