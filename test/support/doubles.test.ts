import { createHmac } from 'node:crypto'
import OpenAI from 'openai'
import { expect, it } from 'vitest'
import { HookServer, signatureOf } from './hook-server.ts'
import { OpenAiHttpServer } from './openai-http.ts'

/** Whoever judges the program is judged first: by the vendor's own client, and by the published example of a signature. */

const schema = {
  type: 'object',
  properties: { who: { type: 'string' } },
  required: ['who'],
  additionalProperties: false,
} as const

it("answers as the vendor's own client expects", async () => {
  await using server = await OpenAiHttpServer.start()
  server.hears = ({ file }) => `heard ${file.bytes.length} bytes`
  server.says = () => '{"who":"Ada"}'
  const client = new OpenAI({ apiKey: OpenAiHttpServer.key, baseURL: `${server.url}/v1`, maxRetries: 0 })
  const file = new File([new Uint8Array(100)], 'message.wav', { type: 'audio/wav' })
  const heard = await client.audio.transcriptions.create({ file, model: 'gpt-transcribe', response_format: 'json' })
  expect(heard.text).toBe('heard 100 bytes')
  const format = { type: 'json_schema', name: 'summary', strict: true, schema } as const
  const asked = { model: 'gpt-5.4-mini', input: 'Hello', store: false, text: { format } }
  const said = await client.responses.create(asked)
  expect(said.output_text).toBe('{"who":"Ada"}')
  server.plan('response', { status: 429, retryAfter: '7' }, 'refusal', 'incomplete', 'failed')
  await expect(client.responses.create(asked)).rejects.toMatchObject({ status: 429 })
  expect((await client.responses.create(asked)).output).toMatchObject([{ content: [{ type: 'refusal' }] }])
  expect(await client.responses.create(asked)).toMatchObject({ status: 'incomplete', output_text: '{"who' })
  expect(await client.responses.create(asked)).toMatchObject({ status: 'failed', error: { code: 'server_error' } })
  server.plan('transcription', 'reset')
  await expect(client.audio.transcriptions.create({ file, model: 'gpt-transcribe' })).rejects.toThrow('Connection')
  expect(server.problems).toEqual([])
  await expect(client.responses.create({ model: 'gpt-5.4-mini', input: 'Hello' })).rejects.toThrow('store')
  await expect(new OpenAI({ apiKey: 'wrong', baseURL: `${server.url}/v1` }).responses.create(asked)).rejects.toThrow(
    'Incorrect API key',
  )
  expect(server.problems).toEqual(['store is not false'])
})

it('believes the published example of a signature', async () => {
  // https://github.com/standard-webhooks/standard-webhooks, and the examples of its libraries
  const text = 'msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}'
  expect(await signatureOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', text)).toBe(
    'g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  )
})

it('counts what was delivered, and nothing that was signed by another, long ago, or for other words', async () => {
  const secret = 'a secret of this integrator'
  await using server = await HookServer.start(secret, () => 1_000_000)
  const deliver = async (id: string, at: number, body: string, by = secret, sent = body) => {
    const signature = createHmac('sha256', by).update(`${id}.${at}.${body}`).digest('base64')
    const headers = { 'webhook-id': id, 'webhook-timestamp': String(at), 'webhook-signature': `v1,${signature}` }
    return (await fetch(server.url, { method: 'POST', headers, body: sent })).status
  }
  const body = '{"type":"call.ended"}'
  expect(await deliver('one', 1_000_010, body)).toBe(204)
  expect(await deliver('two', 1_000_000, body, 'somebody else')).toBe(401)
  expect(await deliver('three', 999_000, body)).toBe(401)
  expect(await deliver('four', 1_000_000, body, secret, '{"type":"call.started"}')).toBe(401)
  server.plan(503, 'lost')
  expect(await deliver('five', 1_000_000, body)).toBe(503)
  await expect(deliver('five', 1_000_000, body)).rejects.toThrow()
  expect(server.doubled).toEqual([])
  expect(await deliver('five', 1_000_000, body)).toBe(204)
  expect(server.taken.map(({ id, event }) => `${id} ${event}`)).toEqual([
    'one call.ended',
    'five call.ended',
    'five call.ended',
  ])
  expect(server.doubled).toEqual(['five'])
  expect(server.forged).toEqual(['signed by somebody else', 'too old', 'signed by somebody else'])
})
