import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MailServer } from '../../support/mail-server.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { signatureOf } from '../../twilio/signed.ts'
import { wave } from '../store/desk-node.ts'
import { House } from './house.ts'

const customer = '+15550100177'
const ours = '+15550100200'
const publicBaseUrl = 'https://parley.example.com'
const { sid: accountSid, authToken } = TwilioServer.account

it('has messages with customers and what they leave with the carrier, over a restart, and tells the owner once', async () => {
  await using twilio = await TwilioServer.start()
  await using mail = await MailServer.start()
  const owner = 'owner@example.com'
  await using house = await House.open({
    business: {
      id: 'dentist',
      numbers: [ours],
      texts: { keywords: 'parley' },
      notify: { email: owner, phone: '+15550100201' },
    },
    environment: {
      ...{ TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_BASE_URL: twilio.url },
      ...{ PUBLIC_BASE_URL: publicBaseUrl, SMTP_URL: `smtp://127.0.0.1:${mail.port}`, SMTP_FROM: 'parley@example.com' },
    },
  })
  const token = (await readFile(join(house.stateDir, 'state/api-token'), 'utf8')).trim()
  const address = `http://127.0.0.1:${house.httpPort}`

  /** As Twilio does it: signed for the public address, whatever it is reached by. */
  const hook = async (path: string, fields: Record<string, string>) => {
    const headers = { 'x-twilio-signature': signatureOf(`${publicBaseUrl}${path}`, fields, authToken) }
    const answer = await fetch(`${address}${path}`, { method: 'POST', headers, body: new URLSearchParams(fields) })
    return { status: answer.status, text: await answer.text() }
  }
  const write = async (text: string, key: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key }
    const body = JSON.stringify({ business: 'dentist', to: customer, text })
    const answer = await fetch(`${address}/v1/texts`, { method: 'POST', headers, body })
    return { status: answer.status, body: (await answer.json()) as { id: string; status: string } }
  }
  const list = async <T>(of: 'texts' | 'voicemails', query = '') =>
    (await house.get<Record<string, T[]>>(`/v1/${of}?private=true&${query}`)).body[of]!
  type Text = { id: string; direction: string; status: string; private: { text: string } }
  const thread = async (most = 9) =>
    (await list<Text>('texts', `business=dentist&channel=sms&customer=${encodeURIComponent(customer)}`)).slice(0, most)
  const until = (condition: () => Promise<boolean>) => house.until(condition)

  const received = { From: customer, To: ours, AccountSid: accountSid }
  const sid = (kind: string, count: number) => `${kind}${String(count).padStart(32, '0')}`
  const hello = { ...received, MessageSid: sid('SM', 1), Body: 'Is there a time on Monday?' }
  for (let time = 0; time < 2; time++) expect((await hook('/v1/twilio/sms', hello)).status).toBe(200)
  expect((await hook('/v1/twilio/sms', { ...hello, Body: 'x' })).status).toBe(200)
  // What comes again is told once.
  expect((await house.events()).filter(({ call }) => call === hello.MessageSid)).toHaveLength(1)
  const sent = await write('At nine.', 'answer-1')
  expect(sent).toMatchObject({ status: 202, body: { status: 'wanted' } })
  await until(async () => (await thread(1))[0]?.status === 'queued')
  const carrier = [...twilio.messages.values()].find(({ to }) => to === customer)!
  const path = `/v1/twilio/message-status?text=${sent.body.id}&business=dentist`
  await hook(path, { MessageSid: carrier.sid!, MessageStatus: 'delivered', From: ours, To: customer })
  await until(async () => (await thread(1))[0]?.status === 'delivered')
  expect((await thread()).map(({ direction, status, private: { text } }) => [direction, status, text])).toEqual([
    ['out', 'delivered', 'At nine.'],
    ['in', 'received', 'Is there a time on Monday?'],
  ])

  const stop = await hook('/v1/twilio/sms', { ...received, MessageSid: sid('SM', 2), Body: 'STOP' })
  expect(stop.text).toContain('<Message>')
  await until(async () => (await thread()).length === 3)
  expect((await write('Are you there?', 'answer-2')).status).toBe(409)

  const call = sid('CA', 1)
  const recording = sid('RE', 1)
  const left = { CallSid: call, AccountSid: accountSid, RecordingSid: recording, RecordingDuration: '1' }
  expect((await hook('/v1/twilio/voicemail', { ...left, ...received })).text).toContain('<Hangup/>')
  twilio.recordings.set(recording, wave())
  await house.signal('SIGKILL')
  await house.start()
  await until(async () => (await list('voicemails')).length === 1)
  expect((await hook('/v1/twilio/voicemail', { ...left, RecordingStatus: 'completed' })).status).toBe(204)
  expect(await list('voicemails')).toMatchObject([
    { business: 'dentist', call, seconds: 1, private: { recording, callerNumber: customer } },
  ])
  expect(await readFile(join(house.stateDir, `state/voicemail/${recording}.wav`))).toEqual(wave())
  await until(async () => mail.mails.length === 1 && twilio.messages.size === 2)
  expect(mail.mails).toMatchObject([{ from: 'parley@example.com', to: [owner] }])
  expect(mail.mails[0]!.data).toContain(customer)
  expect([...twilio.messages.values()].map(({ to }) => to)).toEqual([customer, '+15550100201'])
  expect(twilio.problems).toEqual([])
  expect(house.log.join('\n')).not.toMatch(/At nine|\+15550100177|\+15550100201/)
})
