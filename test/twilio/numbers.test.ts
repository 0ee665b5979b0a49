import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { twilioNumbers } from '../../src/twilio/numbers.ts'
import { webhooksFor } from '../../src/twilio/paths.ts'
import { driven } from '../support/driven.ts'
import type { TwilioServer } from '../support/twilio-server.ts'
import { first, publicBaseUrl, second, twilioAccount } from './account.ts'

async function account({ reachable = true, file }: { reachable?: boolean; file?: string } = {}) {
  const made = await twilioAccount(file === undefined ? {} : { file })
  return { ...made, numbers: twilioNumbers({ ...made, publicBaseUrl: reachable ? publicBaseUrl : undefined }) }
}

const endpoints = ({ asked }: TwilioServer) => asked.map(({ endpoint }) => endpoint)

describe('a number', () => {
  it('is bought with its webhooks in the one request that buys, and belongs to the business', async () => {
    const { server, numbers, numbersOf } = await account()
    const bought = await numbers.buy({ number: first, business: 'plumber' })
    expect(bought).toMatchObject({ number: first, business: 'plumber', voice: true, sms: true, problems: [] })
    const { parameters } = server.asked[1]!
    const wanted = Object.entries(webhooksFor(publicBaseUrl)).map(([name, value]) => [
      `${name[0]!.toUpperCase()}${name.slice(1)}`,
      value,
    ])
    expect(Object.fromEntries(parameters)).toMatchObject(Object.fromEntries(wanted))
    expect(endpoints(server)).toEqual([
      'GET /IncomingPhoneNumbers',
      'POST /IncomingPhoneNumbers',
      'GET /IncomingPhoneNumbers',
    ])
    expect(numbersOf('plumber')).toEqual([first])
    expect(server.problems).toEqual([])
  })

  it('is not bought for nobody, for whom has it already, or without an address for its calls', async () => {
    const { server, numbers } = await account()
    await expect(numbers.buy({ number: first, business: 'nobody' })).rejects.toMatchObject({ why: 'unknown' })
    await numbers.buy({ number: first, business: 'plumber' })
    await expect(numbers.buy({ number: first, business: 'dentist' })).rejects.toMatchObject({ why: 'conflict' })
    expect(endpoints(server).filter(each => each.startsWith('POST'))).toHaveLength(1)
    const without = await account({ reachable: false })
    await expect(without.numbers.buy({ number: first, business: 'plumber' })).rejects.toThrow('PUBLIC_BASE_URL')
    expect(without.server.asked).toEqual([])
  })

  it('is neither bought for nor taken from a business whose file names its numbers: its next edit would undo it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-numbers-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'business.yaml')
    writeFileSync(file, `name: Dentist\nnumbers: ["${second}"]\n`)
    const { server, rest, numbers, numbersOf } = await account({ file })
    const refused = { why: 'conflict', message: expect.stringContaining('BUSINESS_FILE names the numbers') }
    await expect(numbers.buy({ number: first, business: 'dentist' })).rejects.toMatchObject(refused)
    expect(server.asked).toEqual([])
    await rest.numbers.buy({ number: second, webhooks: webhooksFor(publicBaseUrl), name: 'dentist' })
    await expect(numbers.assign(second, 'plumber')).rejects.toMatchObject(refused)
    expect([numbersOf('dentist'), numbersOf('plumber')]).toEqual([[second], []])
  })

  it('is given back when the business cannot have it', async () => {
    const { server, numbers, records, numbersOf } = await account()
    records.away = true
    await expect(numbers.buy({ number: first, business: 'plumber' })).rejects.toThrow('was bought and given back')
    expect([server.numbers.size, numbersOf('plumber')]).toEqual([0, []])
  })

  it('that the account had before is neither bought nor given back, whatever is answered', async () => {
    const { server, rest, numbers, records } = await account()
    const webhooks = { ...webhooksFor(publicBaseUrl), voiceUrl: 'https://elsewhere.example.com' }
    await rest.numbers.buy({ number: first, webhooks, name: 'of something else' })
    server.plan('POST /IncomingPhoneNumbers', 503)
    records.away = true
    const bought = numbers.buy({ number: first, business: 'plumber' })
    await expect(bought).rejects.toThrow('has the number already')
    expect((await rest.numbers.list(first))[0]?.webhooks).toEqual(webhooks)
  })

  it('that cannot be given back either is told with what it is released by', async () => {
    const { server, numbers, records } = await account()
    records.away = true
    server.plan('DELETE /IncomingPhoneNumbers/{Sid}', 503)
    const failing = numbers.buy({ number: first, business: 'plumber' })
    await expect(failing).rejects.toMatchObject({ code: 'CARRIER_AWAY', unsure: true })
    const [sid] = [...server.numbers.keys()]
    await expect(failing).rejects.toThrow(sid)
  })

  it('whose purchase was answered by nobody is looked for, and not bought twice', async () => {
    const { server, rest, numbers, numbersOf } = await account()
    server.plan('POST /IncomingPhoneNumbers', 'lost')
    expect(await numbers.buy({ number: first, business: 'plumber' })).toMatchObject({ problems: [] })
    expect([server.numbers.size, numbersOf('plumber')]).toEqual([1, [first]])
    server.plan('POST /IncomingPhoneNumbers', 503)
    await expect(numbers.buy({ number: second, business: 'plumber' })).rejects.toMatchObject({ code: 'CARRIER_AWAY' })
    const buy = rest.numbers.buy.bind(rest.numbers)
    rest.numbers.buy = request => {
      server.plan('POST /IncomingPhoneNumbers', 'lost')
      server.plan('GET /IncomingPhoneNumbers', 503)
      return buy(request)
    }
    await expect(numbers.buy({ number: second, business: 'plumber' })).rejects.toThrow('It is not known whether')
    expect(numbersOf('plumber')).toEqual([first])
  })

  it('is told with what is wrong, and fixed', async () => {
    const { server, numbers, directory } = await account()
    await numbers.buy({ number: first, business: 'plumber' })
    await directory.create({ name: 'Florist', numbers: ['+15550100999'] })
    const [owned] = [...server.numbers.values()]
    Object.assign(owned!, { voice_url: 'https://old.example.com/call', trunk_sid: `TK${'0'.repeat(32)}` })
    expect(await numbers.list()).toMatchObject([
      {
        ...{ number: first, business: 'plumber' },
        problems: [
          'its voiceUrl is not that of this Parley',
          'a trunk of the account has its calls: detach it in the console',
        ],
      },
      {
        number: '+15550100999',
        sid: null,
        business: 'florist',
        problems: [expect.stringContaining('does not have it')],
      },
    ])
    owned!.trunk_sid = null as never
    expect(await numbers.fix(first)).toMatchObject({ problems: [] })
    await expect(numbers.fix('+15550100999')).rejects.toMatchObject({ why: 'unknown' })
    expect(server.problems).toEqual([])
  })

  it('goes from one business to another, or stays', async () => {
    const { numbers, numbersOf, records } = await account()
    await numbers.buy({ number: first, business: 'plumber' })
    await numbers.assign(first, 'dentist')
    expect([numbersOf('plumber'), numbersOf('dentist')]).toEqual([[], [first]])
    expect(await numbers.assign(first, 'dentist')).toMatchObject({ business: 'dentist' })
    await expect(numbers.assign(first, 'nobody')).rejects.toMatchObject({ why: 'unknown' })
    const change = records.change.bind(records)
    records.change = async (asked, versions) =>
      asked.id === 'plumber' ? { kind: 'numberTaken', number: first, by: 'somebody' } : change(asked, versions)
    await expect(numbers.assign(first, 'plumber')).rejects.toMatchObject({ why: 'conflict' })
    expect(numbersOf('dentist')).toEqual([first])
  })

  it('is released, and the business has it no more; so also when the answer is lost', async () => {
    const { server, numbers, numbersOf } = await account()
    for (const fault of [undefined, 'lost'] as const) {
      const [number] = server.offered
      await numbers.buy({ number: number!, business: 'plumber' })
      if (fault) server.plan('DELETE /IncomingPhoneNumbers/{Sid}', fault)
      await numbers.release(number!)
      expect([server.numbers.size, numbersOf('plumber')]).toEqual([0, []])
    }
    await expect(numbers.release(first)).rejects.toMatchObject({ why: 'unknown' })
  })

  it('of a business that is changed meanwhile does not undo that change', async () => {
    const { numbers, numbersOf, records, clock } = await account()
    const change = records.change.bind(records)
    let others = 0
    records.change = async (asked, versions) => {
      if (others++ === 0) await change({ ...asked, numbers: [], choice: { name: 'Plumber', greeting: 'Water!' } })
      return change(asked, versions)
    }
    await driven(clock, numbers.buy({ number: first, business: 'plumber' }))
    expect(numbersOf('plumber')).toEqual([first])
    expect(records.rows.get('plumber')?.choice).toMatchObject({ greeting: 'Water!' })
  })
})
