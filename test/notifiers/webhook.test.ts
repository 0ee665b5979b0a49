import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import type { Business } from '../../src/business.ts'
import type { Notice } from '../../src/desk/notifier.ts'
import { webhookNotifier } from '../../src/notifiers/webhook.ts'
import { reachOf } from '../../src/tools/reach.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const notice: Notice = {
  ...{
    kind: 'missedCall',
    about: '',
    call: 'CA1',
    business: 'dentist',
    callerNumber: undefined,
    words: 'Zoë „rief“ an.',
  },
  atMs: Date.UTC(2026, 0, 5, 9),
}

async function system(statuses: readonly number[], open: readonly string[]) {
  const asked: { key: unknown; body: unknown }[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request) body += piece
    asked.push({ key: request.headers['idempotency-key'], body: JSON.parse(body) })
    response.writeHead(statuses[asked.length - 1] ?? 204).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const resolve = () => Promise.reject(new Error('no names here'))
  const notifier = webhookNotifier({ clock: new VirtualClock(), reach: reachOf(open), resolve })
  const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notices`
  const business = { id: 'dentist', notify: { webhook } } as unknown as Business
  return { asked, deliver: () => notifier.deliver(notice, business, new AbortController().signal) }
}

it('tells the system of a business, once more under the same key where that may help', async () => {
  const { asked, deliver } = await system([503, 200], ['127.0.0.0/8'])
  await deliver()
  const body = {
    ...{ event: 'notice', kind: 'missedCall', call: 'CA1', business: 'dentist', at: '2026-01-05T09:00:00.000Z' },
    ...{ caller: { number: null }, text: 'Zoë „rief“ an.' },
  }
  expect(asked).toEqual([
    { key: 'CA1-notice-missedCall', body },
    { key: 'CA1-notice-missedCall', body },
  ])
})

it('is refused where the system stands in private', async () => {
  const { asked, deliver } = await system([], [])
  await expect(deliver()).rejects.toThrow('its address is private, see TOOLS_ALLOW_PRIVATE')
  expect(asked).toEqual([])
})
