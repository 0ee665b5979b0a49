import { describe, expect, it } from 'vitest'
import type { TestCallReport, TestCallResult } from '../../src/desk/test-call.ts'
import { twilioOnboarding } from '../../src/twilio/onboarding.ts'
import { webhooksFor } from '../../src/twilio/paths.ts'
import { first, publicBaseUrl, second, twilioAccount } from './account.ts'

const report = (ok: boolean): TestCallReport => ({
  ...{ ok, call: 'CA1', business: 'bakery' },
  steps: [{ name: 'webhook', ok, afterMs: 3, detail: ok ? 'answered' : 'nobody answers' }],
})

const walked = (ok: boolean): TestCallResult => ({ kind: 'walked', report: report(ok) })

async function parts({ result = walked(true), reachable = true } = {}) {
  const account = await twilioAccount()
  const tested: string[] = []
  const onboarding = twilioOnboarding({
    ...account,
    publicBaseUrl: reachable ? publicBaseUrl : undefined,
    async test(business) {
      tested.push(business)
      return result
    },
  })
  return { ...account, onboarding, tested }
}

const bakery = { name: 'Bakery', greeting: 'Fresh bread!' }

describe('a business from nothing', () => {
  it('has a number with its webhooks, and is called', async () => {
    const { onboarding, tested, directory, server } = await parts()
    expect(await onboarding.begin({ business: bakery, number: { buy: first }, test: true })).toMatchObject({
      ...{ kind: 'done', business: 'bakery', test: report(true) },
      number: { number: first, business: 'bakery', problems: [] },
    })
    expect(tested).toEqual(['bakery'])
    expect(directory.find('bakery')).toMatchObject({ numbers: [first], greeting: 'Fresh bread!' })
    expect([...server.numbers.values()]).toMatchObject([{ voice_url: `${publicBaseUrl}/v1/twilio/call` }])
    expect(server.problems).toEqual([])
  })

  it('may take a number that the account has', async () => {
    const { onboarding, rest, directory, tested } = await parts()
    const webhooks = { ...webhooksFor(publicBaseUrl), voiceUrl: 'https://elsewhere.example.com' }
    await rest.numbers.buy({ number: first, webhooks, name: 'old' })
    await onboarding.begin({ business: bakery, number: { take: first }, test: false })
    expect((await rest.numbers.list(first))[0]?.webhooks).toEqual(webhooksFor(publicBaseUrl))
    expect([directory.find('bakery')?.numbers, tested]).toEqual([[first], []])
    await expect(
      onboarding.begin({ business: { name: 'Other' }, number: { take: second }, test: false }),
    ).rejects.toMatchObject({ why: 'unknown' })
    await expect(
      onboarding.begin({ business: { name: 'Other' }, number: { take: first }, test: false }),
    ).rejects.toMatchObject({ why: 'conflict' })
  })

  it('that is wrong, or there already, costs nothing', async () => {
    const { onboarding, server } = await parts()
    for (const business of [{}, { name: 'Bakery', color: 'red' }, { name: 'Plumber' }]) {
      const answer = await onboarding.begin({ business, number: { buy: first }, test: true })
      expect(answer).toMatchObject({ kind: 'wrong', problems: [expect.any(String)] })
    }
    expect(server.asked).toEqual([])
    const nowhere = await parts({ reachable: false })
    await expect(nowhere.onboarding.begin({ business: bakery, number: { buy: first }, test: true })).rejects.toThrow(
      'PUBLIC_BASE_URL',
    )
  })

  it('that cannot be made leaves nothing behind', async () => {
    const { onboarding, rest, records, server } = await parts()
    const webhooks = { ...webhooksFor(publicBaseUrl), voiceUrl: 'https://elsewhere.example.com' }
    await rest.numbers.buy({ number: second, webhooks, name: 'old' })
    records.away = true
    await expect(onboarding.begin({ business: bakery, number: { buy: first }, test: true })).rejects.toThrow(
      'was bought and given back',
    )
    await expect(onboarding.begin({ business: bakery, number: { take: second }, test: true })).rejects.toThrow(
      'The number is as it was.',
    )
    expect((await rest.numbers.list()).map(({ number, webhooks: { voiceUrl } }) => [number, voiceUrl])).toEqual([
      [second, 'https://elsewhere.example.com'],
    ])
    server.plan('DELETE /IncomingPhoneNumbers/{Sid}', 503)
    server.offered.push(first)
    await expect(onboarding.begin({ business: bakery, number: { buy: first }, test: true })).rejects.toThrow(/PN0/)
  })

  it.each([
    ['fails', walked(false), 'nobody answers'],
    ['cannot be made now', { kind: 'busy' }, 'Another test call goes on'],
    ['finds nobody', { kind: 'unknownBusiness' }, 'gone again'],
  ] as const)('stays when its test call %s, and says so', async (_, result, words) => {
    const { onboarding, directory } = await parts({ result })
    expect(await onboarding.begin({ business: bakery, number: { buy: first }, test: true })).toMatchObject({
      test: { ok: false, steps: [{ ok: false, detail: expect.stringContaining(words) }] },
    })
    expect(directory.find('bakery')).toBeDefined()
  })
})
