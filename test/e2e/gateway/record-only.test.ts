import pg from 'pg'
import { expect, it } from 'vitest'
import type { CallFact } from '../../../src/call/events.ts'
import { OpenAiHttpServer } from '../../support/openai-http.ts'
import { TwilioServer } from '../../support/twilio-server.ts'
import { judgeTwiml } from '../../support/twiml-judge.ts'
import { signatureOf } from '../../twilio/signed.ts'
import { wave } from '../store/desk-node.ts'
import { House } from './house.ts'

const publicBaseUrl = 'https://parley.example.com'
const { sid: accountSid, authToken } = TwilioServer.account
const [ours, oursOnWhatsapp] = ['+15550100200', '+15550100201']
/** The one has written by WhatsApp just now, the other never has. */
const [writer, caller] = ['+15550100177', '+15550100178']
const sid = (kind: string, count: number) => `${kind}${String(count).padStart(32, '0')}`
const calls = [writer, caller].map((from, n) => ({ from, call: sid('CA', n + 1), recording: sid('RE', n + 1) }))
const short = { who: '', why: 'opening hours', outcome: '', followUp: '', urgency: 'none' }
const answer = { intent: 'opening hours', data: [{ name: 'day', value: 'Monday' }], reply: 'From nine on Monday.' }

/** As a server finds out when it has taken too long; what is embedded is known at once to be nobody's any more. */
async function freeJobs(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  await client.query("update jobs.job set state = 'retry', start_after = now() where state = 'active'")
  await client.end()
}

it.concurrent.each(['embedded', 'server'] as const)(
  'on the %s database answers whom the carrier has only recorded: once, by the way by which they can be written to, wherever it is killed',
  async kind => {
    await using twilio = await TwilioServer.start()
    await using openai = await OpenAiHttpServer.start()
    openai.hears = () => 'When are you open on Monday?'
    openai.says = ({ text }) =>
      JSON.stringify(text?.format?.type === 'json_schema' && text.format.name === 'answer' ? answer : short)
    await using house = await House.open({
      database: kind,
      business: {
        ...{ id: 'dentist', numbers: [ours], telephone: { reception: 'record' } },
        answers: { enabled: true, by: ['whatsapp', 'sms'] },
      },
      environment: {
        ...{ TWILIO_ACCOUNT_SID: accountSid, TWILIO_AUTH_TOKEN: authToken, TWILIO_BASE_URL: twilio.url },
        ...{ TWILIO_PHONE_NUMBER: ours, TWILIO_WHATSAPP_NUMBER: oursOnWhatsapp, PUBLIC_BASE_URL: publicBaseUrl },
        ...{ TRANSCRIBER: 'openai', SUMMARIZER: 'openai', OPENAI_BASE_URL: openai.url },
        OPENAI_API_KEY: OpenAiHttpServer.key,
      },
    })
    const hook = async (path: string, fields: Record<string, string>) => {
      const sent = { AccountSid: accountSid, To: ours, ...fields }
      const headers = { 'x-twilio-signature': signatureOf(`${publicBaseUrl}${path}`, sent, authToken) }
      const url = `http://127.0.0.1:${house.httpPort}${path}`
      return (await fetch(url, { method: 'POST', headers, body: new URLSearchParams(sent) })).text()
    }
    const facts = async <N extends CallFact['name']>(name: N) =>
      (await house.events()).map(({ fact }) => fact).filter(fact => fact.name === name) as Extract<
        CallFact,
        { name: N }
      >[]
    const killedWhen = async (condition: () => boolean) => {
      await house.until(async () => condition())
      await house.signal('SIGKILL')
      if (kind === 'server') await freeJobs(house.environment['DATABASE_URL']!)
      await house.start()
    }
    const asked = (endpoint: string) => twilio.asked.filter(each => each.endpoint === endpoint).length

    openai.plan('transcription', 'silent', 'silent')
    openai.plan('response', 'silent', 'silent', 'silent', 'silent')
    twilio.plan('POST /Messages', 'lost', 'lost')
    const greeting = { From: `whatsapp:${writer}`, To: `whatsapp:${oursOnWhatsapp}`, Body: 'Hello' }
    await hook('/v1/twilio/whatsapp', { ...greeting, MessageSid: sid('SM', 1) })
    for (const { from, call, recording } of calls) {
      twilio.recordings.set(recording, wave())
      const told = { CallSid: call, From: from }
      const twiml = await hook('/v1/twilio/call', { ...told, CallStatus: 'ringing', Direction: 'inbound' })
      expect(judgeTwiml(twiml).problems).toEqual([])
      const [, path] = /<Record[^>]* action="https:\/\/parley\.example\.com([^"]+)"/.exec(twiml)!
      const left = { RecordingSid: recording, RecordingDuration: '1' }
      const recordingPath = path!.replaceAll('&amp;', '&')
      expect(await hook(recordingPath, { ...told, ...left })).toContain('<Hangup/>')
      await hook(recordingPath, { ...told, ...left, RecordingStatus: 'completed' })
    }
    await killedWhen(() => openai.planned === 4)
    await killedWhen(() => openai.planned === 0)
    await killedWhen(() => asked('POST /Messages') === 2)
    const done = async () => {
      const { jobs } = (await house.get<{ jobs: { kind: string }[] }>('/v1/jobs?state=done')).body
      return jobs.filter(({ kind }) => kind === 'answer' || kind === 'summarize').length
    }
    await house.until(async () => (await done()) === 4)

    const texts = [...twilio.messages.values()].map(({ from, to, body }) => [from, to, body])
    expect(texts.sort()).toEqual([
      [ours, caller, answer.reply],
      [`whatsapp:${oursOnWhatsapp}`, `whatsapp:${writer}`, answer.reply],
    ])
    for (const told of await facts('callerAnswered')) {
      expect(told).toMatchObject({ by: 'provider', private: { intent: answer.intent, data: { day: 'Monday' } } })
    }
    expect((await facts('summarized')).map(fact => fact.private)).toMatchObject([
      { why: short.why },
      { why: short.why },
    ])
    expect(await facts('transcribed')).toHaveLength(2)
    const { voicemails } = (await house.get<{ voicemails: unknown[] }>('/v1/voicemails?by=reception&private=true')).body
    const listed = calls.map(({ from, call, recording }) =>
      expect.objectContaining({ call, private: { recording, callerNumber: from } }),
    )
    expect(voicemails).toHaveLength(2)
    expect(voicemails).toEqual(expect.arrayContaining(listed))
    expect((await house.get<{ jobs: unknown[] }>('/v1/jobs?state=failed')).body.jobs).toEqual([])
    expect([openai.problems, twilio.problems]).toEqual([[], []])
    expect(house.log.join('\n')).not.toMatch(/\+1555010017|Monday/)
  },
  180_000,
)
