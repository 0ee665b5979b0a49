import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Business, readBusiness } from '../../src/business.ts'
import type { CallEvent } from '../../src/call/events.ts'
import { createLog } from '../../src/log.ts'
import type { Standing } from '../../src/store/texts.ts'
import { textWebhooks } from '../../src/twilio/texts.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const sid = `SM${'0'.repeat(31)}1`
const message = { MessageSid: sid, From: '+15550100177', To: '+15550100200', Body: 'Is there a time on Monday?' }

function edge(standing?: Standing, texts: Partial<Business['texts']> = {}) {
  const events: CallEvent[] = []
  const order: string[] = []
  const resent: string[] = []
  const read = readBusiness({
    file: undefined,
    name: 'Dentist',
    phone: undefined,
    ownerPhone: undefined,
    engine: 'scripted',
  })
  const plain = { ...read, texts: { ...read.texts, ...texts } }
  const plumber = { ...plain, id: 'plumber', texts: { ...plain.texts, help: 'Call <us> & ask' } }
  const webhooks = textWebhooks({
    businesses: () => ({
      standard: plain,
      find: id => (id === 'plumber' ? plumber : undefined),
      withNumber: number => (number === '+15550100201' ? plumber : undefined),
    }),
    tell(event) {
      events.push(event)
      order.push('told')
    },
    kept: async () => void order.push('kept'),
    clock: new VirtualClock(),
    log: createLog('silent'),
    standing: async () => standing,
    lastWriter: async ({ ours }) => (ours === '+15550100288' ? 'plumber' : undefined),
    withWhatsappNumber: number => (number === '+15550100299' ? plumber : undefined),
    outsideSession: text => resent.push(text),
  })
  const ask = async (path: string, fields: Record<string, string>, query: Record<string, string> = {}) => {
    const answer = await webhooks.find(each => each.path === `/v1/twilio/${path}`)!.answer({ query, fields })
    return answer.kind === 'twiml' ? answer.xml.replace(/^<\?xml[^>]*\?>/, '') : answer
  }
  return { ask, events, order, resent, words: plain.texts }
}

describe('a message that comes', () => {
  it('is on the disk before it is acknowledged, and answered by nobody', async () => {
    const { ask, events, order } = edge()
    expect(await ask('sms', { ...message, NumMedia: '2' })).toMatch(/^<Response\s*\/>$/)
    expect(order).toEqual(['told', 'kept'])
    expect(events).toMatchObject([
      {
        ...{ call: sid, business: 'dentist' },
        fact: {
          ...{ name: 'textReceived', channel: 'sms', media: 2 },
          private: { customer: '+15550100177', ours: '+15550100200', text: message.Body },
        },
      },
    ])
  })

  it('is of the business that it was written to, by SMS or WhatsApp', async () => {
    const { ask, events } = edge()
    await ask('sms', { ...message, To: '+15550100201' })
    await ask('whatsapp', { ...message, From: 'whatsapp:+15550100177', To: 'whatsapp:+15550100299' })
    await ask('whatsapp', { ...message, From: 'whatsapp:+15550100177', To: 'whatsapp:+15550100200' })
    // A number that several share: whoever they answer.
    await ask('whatsapp', { ...message, From: 'whatsapp:+15550100177', To: 'whatsapp:+15550100288' })
    expect(events.map(({ business, fact }) => [business, 'channel' in fact && fact.channel])).toEqual([
      ['plumber', 'sms'],
      ['plumber', 'whatsapp'],
      ['dentist', 'whatsapp'],
      ['plumber', 'whatsapp'],
    ])
    expect(events[1]).toMatchObject({ fact: { private: { customer: '+15550100177', ours: '+15550100299' } } })
  })

  const never = { stopped: false, lastWroteAt: null }
  const stopped = { stopped: true, lastWroteAt: null }
  it.each([
    ['STOP', never, true, 'stopped'],
    ['STOP', stopped, true, undefined],
    ['STOP', undefined, true, 'stopped'],
    ['START', stopped, false, 'started'],
    ['START', never, false, undefined],
    ['START', undefined, false, 'started'],
    ['Yes', stopped, false, 'started'],
    ['Yes', never, undefined, undefined],
    // Who may have stopped stays so.
    ['Yes', undefined, undefined, undefined],
    ['Please stop by', never, undefined, undefined],
  ] as const)('%s of somebody who is %j', async (Body, standing, consent, reply) => {
    const { ask, events, words } = edge(standing)
    // A number has its answer from the carrier already.
    const byCarrier = edge(standing)
    expect(await byCarrier.ask('sms', { ...message, Body })).toMatch(/^<Response\s*\/>$/)
    expect(byCarrier.events.map(({ fact }) => fact.name)).toEqual([
      'textReceived',
      ...(consent === undefined ? [] : ['consentTold']),
    ])
    const answer = await ask('sms', { ...message, Body, To: '12345' })
    const told = events.flatMap(({ fact }) => (fact.name === 'consentTold' ? [fact.stopped] : []))
    expect(told).toEqual(consent === undefined ? [] : [consent])
    if (reply === undefined) expect(answer).toMatch(/^<Response\s*\/>$/)
    else expect(answer).toBe(`<Response><Message>${words[reply]}</Message></Response>`)
  })

  it('is not answered twice where Twilio has answered it, whatever its word was', async () => {
    const { ask, events } = edge(never)
    expect(await ask('sms', { ...message, Body: 'Arrêt', OptOutType: 'STOP' })).toMatch(/^<Response\s*\/>$/)
    expect(events[1]).toMatchObject({ fact: { name: 'consentTold', stopped: true } })
  })

  it('that asks for help gets that of the business, or its name, where the carrier does not answer', async () => {
    const { ask } = edge(stopped)
    const help = { ...message, From: 'whatsapp:+15550100177', Body: 'help' }
    expect(await ask('whatsapp', { ...help, To: 'whatsapp:+15550100299' })).toBe(
      '<Response><Message>Call &lt;us&gt; &amp; ask</Message></Response>',
    )
    expect(await ask('whatsapp', { ...help, To: 'whatsapp:+15550100200' })).toBe(
      '<Response><Message>Dentist. Write STOP to get no more messages.</Message></Response>',
    )
    expect(await ask('sms', { ...message, Body: 'help', To: '+15550100201' })).toMatch(/^<Response\s*\/>$/)
    const alone = edge(stopped, { keywords: 'parley' })
    expect(await alone.ask('sms', { ...message, Body: 'help' })).toMatch(/Dentist/)
  })

  it('is refused when it is none', async () => {
    const { ask, events } = edge()
    for (const change of [{ MessageSid: 'SM1' }, { From: '' }, { To: 'a b' }]) {
      expect(await ask('sms', { ...message, ...change })).toMatchObject({ kind: 'refused', status: 400 })
    }
    expect(events).toEqual([])
  })
})

describe('what became of a message', () => {
  it('is told under the id that Parley has given it, or the carrier’s', async () => {
    const { ask, events, resent } = edge()
    const told = { MessageSid: sid, MessageStatus: 'delivered', From: '+15550100201', To: '+15550100177' }
    expect(await ask('message-status', told, { text: 'text-1', business: 'plumber' })).toEqual({ kind: 'taken' })
    await ask('message-status', told)
    await ask('message-status', { ...told, MessageStatus: 'undelivered', ErrorCode: '30003' }, { text: 'a/../b' })
    expect(events).toMatchObject([
      { call: 'text-1', business: 'plumber', fact: { name: 'textTold', status: 'delivered' } },
      { call: sid, business: 'plumber', fact: { name: 'textTold', status: 'delivered' } },
      { call: sid, fact: { status: 'undelivered', errorCode: 30_003 } },
    ])
    expect(resent).toEqual([])
  })

  it('goes once more as a template when WhatsApp says that it is too late for a text', async () => {
    const { ask, resent, order } = edge()
    const told = { MessageSid: sid, MessageStatus: 'failed', ErrorCode: '63016' }
    await ask('message-status', told, { text: 'text-1', business: 'plumber' })
    expect([resent, order]).toEqual([['text-1'], ['told', 'kept']])
  })

  it('is no news of a message that came, and refused when it is none', async () => {
    const { ask, events } = edge()
    expect(await ask('message-status', { MessageSid: sid, MessageStatus: 'received' })).toEqual({ kind: 'taken' })
    expect(await ask('message-status', { MessageSid: 'x', MessageStatus: 'sent' })).toMatchObject({ status: 400 })
    expect(await ask('message-status', { MessageSid: sid })).toMatchObject({ status: 400 })
    expect(events).toEqual([])
  })
})

it('throws at nothing, and tells nothing that no row can hold but what the customer wrote', async () => {
  const names = ['MessageSid', 'SmsSid', 'From', 'To', 'Body', 'NumMedia', 'OptOutType', 'MessageStatus', 'ErrorCode']
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom(
      sid,
      '+15550100177',
      'whatsapp:+15550100177',
      'STOP',
      'delivered',
      '63016',
      '__proto__',
      'toString',
    ),
  )
  const fields = fc.dictionary(fc.constantFrom(...names), value)
  const paths = fc.constantFrom('sms', 'whatsapp', 'message-status')
  await fc.assert(
    fc.asyncProperty(
      paths,
      fields,
      fc.dictionary(fc.constantFrom('text', 'business'), value),
      async (path, given, query) => {
        const { ask, events } = edge()
        const answer = await ask(path, given, query)
        if (typeof answer === 'string') expect(answer).toMatch(/^<Response(\s*\/>|>.*<\/Response>$)/s)
        else expect(['taken', 'refused']).toContain(answer.kind)
        for (const { call } of events) expect(call).toMatch(/^[\w.-]{1,100}$/)
      },
    ),
  )
})
