import { expect, it, onTestFinished } from 'vitest'
import type { Business } from '../../src/business.ts'
import type { Notice } from '../../src/desk/notifier.ts'
import { mailNotifier, settingsOf } from '../../src/notifiers/mail.ts'
import { MailServer } from '../support/mail-server.ts'
import { until } from '../support/until.ts'

const notice: Notice = {
  ...{
    kind: 'voicemail',
    about: 'RE1',
    call: '1767603600.7',
    business: 'dentist',
    atMs: 0,
    callerNumber: '+15550100177',
  },
  words: 'A caller has left a voicemail of 9 seconds.\n.\nTheir number: +15550100177.',
}
const business = {
  id: 'dentist',
  name: 'Praxis Zoë\r\nBcc: everybody@example.com',
  notify: { email: 'owner@example.com' },
}

async function post({ user = MailServer.user, password = MailServer.password } = {}) {
  const server = await MailServer.start()
  onTestFinished(() => server[Symbol.asyncDispose]())
  const url = `smtp://${user}:${encodeURIComponent(password)}@127.0.0.1:${server.port}`
  const notifier = mailNotifier({ url, from: 'parley@example.com' })
  const deliver = (signal = new AbortController().signal, told: Notice = notice) =>
    notifier.deliver(told, business as unknown as Business, signal)
  return { server, deliver }
}

it('goes to the address of the business and nobody else, whatever its name is', async () => {
  const { server, deliver } = await post()
  await deliver()
  await deliver()
  expect(server.mails.map(({ from, to }) => [from, to])).toEqual([
    ['parley@example.com', ['owner@example.com']],
    ['parley@example.com', ['owner@example.com']],
  ])
  const [{ data }, again] = server.mails as [(typeof server.mails)[0], (typeof server.mails)[0]]
  const [head = '', body = ''] = data.split('\r\n\r\n')
  expect(head).toMatch(/^To: owner@example.com$/m)
  expect(head).toMatch(/^Auto-Submitted: auto-generated$/im)
  expect(head).not.toMatch(/^Bcc:/im)
  expect(body).toContain('A caller has left a voicemail of 9 seconds.\r\n.\r\nTheir number: +15550100177.')
  // The same news has the same name.
  const [id] = /^Message-ID: .*$/im.exec(head) ?? []
  expect(id).toMatch(/<[0-9a-f]{32}@example\.com>/)
  expect(again.data).toContain(id)
})

it('is another mail of another message in the same call: who has both under one name shows one', async () => {
  const { server, deliver } = await post()
  await deliver()
  await deliver(undefined, { ...notice, about: 'RE2' })
  const ids = server.mails.map(({ data }) => /^Message-ID: .*$/im.exec(data)?.[0])
  expect(new Set(ids).size).toBe(2)
})

it.each([
  ['a server that is busy', { at: 'connect', answer: '421 4.3.2 later' }, true],
  ['a mailbox that is busy', { at: 'RCPT', answer: '450 4.2.1 later' }, true],
  ['a mailbox that is none', { at: 'RCPT', answer: '550 5.1.1 nobody' }, false],
  ['a connection that breaks when the words have gone', { at: '.', answer: 'hangUp' }, false],
] as const)('tells whether another attempt may help: %s', async (_, fault, retryable) => {
  const { server, deliver } = await post()
  server.faults.push(fault)
  await expect(deliver()).rejects.toMatchObject({ code: 'TOOL_FAILED', retryable })
  expect(server.mails).toEqual([])
})

it('may be tried once more where nobody listens', async () => {
  const { server, deliver } = await post()
  await server[Symbol.asyncDispose]()
  await expect(deliver()).rejects.toMatchObject({ code: 'TOOL_FAILED', retryable: true })
})

it('fails in words that hold no password', async () => {
  const { deliver } = await post({ password: 'wrong-secret' })
  const error: Error = await deliver().then(
    () => new Error('taken'),
    thrown => thrown,
  )
  expect(error.message).toMatch(/^the mail could not be handed over \(EAUTH, 535\)$/)
  expect(JSON.stringify([error, error.stack])).not.toContain('wrong-secret')
})

it('ends with its signal', async () => {
  const { server, deliver } = await post()
  server.faults.push({ at: 'EHLO', answer: 'silent' })
  const over = new AbortController()
  const failed = deliver(over.signal).catch(error => error.code)
  await until(() => server.commands.length === 1)
  over.abort()
  expect(await failed).toBe('TOOL_FAILED')
})

it('gives a password to no server that is not reached by TLS, but this machine', () => {
  const of = (url: string) => settingsOf(new URL(url))
  expect(of('smtps://u:p%2F@mail.example.com')).toMatchObject({
    secure: true,
    port: 465,
    auth: { user: 'u', pass: 'p/' },
  })
  expect(of('smtp://u:p@mail.example.com')).toMatchObject({ secure: false, requireTLS: true, port: 587 })
  expect(of('smtp://u:p@127.0.0.1:25')).toMatchObject({ requireTLS: false, port: 25 })
  expect(of('smtp://mail.example.com')).toMatchObject({ requireTLS: false })
  expect(of('smtp://mail.example.com')).not.toHaveProperty('auth')
})
