import { describe, expect, it } from 'vitest'
import type { TestCallAsked, TestCalls } from '../../src/desk/test-call.ts'
import { house, withToken } from './house.ts'

type Result = Awaited<ReturnType<TestCalls['place']>>

async function asked(query: string, result: Result) {
  const heard: TestCallAsked[] = []
  const place = async (question: TestCallAsked) => {
    heard.push(question)
    return result
  }
  const answer = await house({ testCalls: { place } }).server.inject({
    url: `/v1/twilio/test-sip${query}`,
    headers: withToken,
  })
  return { status: answer.statusCode, body: answer.json(), heard }
}

describe('GET /v1/twilio/test-sip', () => {
  const report = {
    ...{ ok: false, call: 'CA1', business: 'dentist' },
    steps: [{ name: 'webhook' as const, ok: false, afterMs: 12, detail: 'It is away.' }],
  }

  it('tells each step with its time', async () => {
    const { status, body, heard } = await asked('', { kind: 'walked', report })
    expect([status, body]).toEqual([200, report])
    expect(heard).toEqual([{ business: undefined, through: 'local' }])
  })

  it('is asked for a business, and by way of what stands before this server', async () => {
    const { heard } = await asked('?business=dentist&through=public', { kind: 'walked', report })
    expect(heard).toEqual([{ business: 'dentist', through: 'public' }])
  })

  it.each([
    ['', 'busy', 409],
    ['?business=nobody', 'unknownBusiness', 404],
  ] as const)('says so when there can be none: %s%s', async (query, kind, status) => {
    expect((await asked(query, { kind })).status).toBe(status)
  })

  it('takes nothing else', async () => {
    expect((await asked('?through=tunnel', { kind: 'busy' })).status).toBe(400)
  })
})
