import { createHash } from 'node:crypto'
import type { Notice, Notifier } from '../desk/notifier.ts'
import { asError, GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'

export interface MailSettings {
  /** Of the server that takes mail; it may hold a name and a password. */
  readonly url: string
  readonly from: string
}

const subjects: Readonly<Record<Notice['kind'], string>> = {
  missedCall: 'Missed call',
  voicemail: 'New voicemail',
  voicemailWords: 'What a voicemail says',
  urgent: 'Urgent message',
}

/** By SMTP. The package is loaded when it is first needed. */
export function mailNotifier({ url, from }: MailSettings): Notifier {
  return {
    by: 'mail',
    async deliver({ kind, about, call, words: text }, { name, notify: { email: to } }, signal) {
      if (to === undefined) return
      const { createTransport } = await import('nodemailer')
      const transport = createTransport({
        ...settingsOf(new URL(url)),
        disableFileAccess: true,
        disableUrlAccess: true,
      })
      // The same for the same news: who gets it twice can see that.
      const id = createHash('sha256').update(`${call} ${kind} ${about} ${to}`).digest('hex').slice(0, 32)
      const [, domain = 'localhost'] = from.split('@')
      const headers = { 'auto-submitted': 'auto-generated' }
      const subject = `${subjects[kind]}, ${name}`
      try {
        await transport.sendMail({ from, to, subject, text, messageId: `<${id}@${domain}>`, headers, signal })
      } catch (error) {
        throw problemOf(error)
      } finally {
        transport.close()
      }
    },
  }
}

/** A password goes over an encrypted connection, or to this machine itself. */
export function settingsOf(url: URL) {
  const secure = url.protocol === 'smtps:'
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const here = host === 'localhost' || host === '::1' || /^127\./.test(host)
  const user = decodeURIComponent(url.username)
  const waitMs = limits.notice.deliverMs / 2
  return {
    ...{ host, secure, port: url.port === '' ? (secure ? 465 : 587) : Number(url.port) },
    requireTLS: !secure && user !== '' && !here,
    ...(user !== '' && { auth: { user, pass: decodeURIComponent(url.password) } }),
    ...{ connectionTimeout: waitMs, greetingTimeout: waitMs, socketTimeout: waitMs },
  }
}

/** What the server has not taken may be tried once more; once the words were on their way they may have arrived. */
function problemOf(error: unknown): GatewayError {
  const { code, syscall, responseCode } = Object(error) as Readonly<Record<string, unknown>>
  const answered = typeof responseCode === 'number'
  const retryable = answered ? responseCode >= 400 && responseCode < 500 : syscall === 'connect' || code === 'EDNS'
  const what = [code, answered ? responseCode : undefined].filter(each => each !== undefined).join(', ')
  return new GatewayError('TOOL_FAILED', `the mail could not be handed over (${what || asError(error).name})`, {
    retryable,
  })
}
