import { describe, expect, it } from 'vitest'
import { house, token } from './house.ts'

describe('GET /healthz', () => {
  it('answers as long as the process lives, whatever else is wrong', async () => {
    const { server, clock, exchange, telephony, media } = house()
    Object.assign(exchange, { ready: false, draining: true })
    telephony.ready = false
    media.alive = false
    clock.advance(61_500)
    const answer = await server.inject('/healthz')
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'alive', version: '1.2.3', uptimeSeconds: 61 }])
  })
})

describe('GET /readyz', () => {
  it('answers 200 when a call would be answered', async () => {
    const answer = await house().server.inject('/readyz')
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: 'ready', warnings: [] }])
  })

  const cases: Record<string, readonly [(parts: ReturnType<typeof house>) => object, RegExp]> = {
    'Asterisk is away': [({ telephony }) => Object.assign(telephony, { ready: false }), /Asterisk is not connected/],
    'SIP is not answered': [
      ({ sip }) => Object.assign(sip, { answered: false }),
      /^SIP is not answered.*npm run firewall/,
    ],
    'the gateway drains': [({ exchange }) => Object.assign(exchange, { draining: true }), /stopping/],
    'the house is full': [({ admission }) => Object.assign(admission, { full: true }), /3 of 22 calls/],
    'the media thread is gone': [({ media }) => Object.assign(media, { alive: false }), /media thread/],
    'the exchange says so': [({ exchange }) => Object.assign(exchange, { ready: false }), /takes no calls/],
  }

  for (const [name, [break_, words]] of Object.entries(cases)) {
    it(`answers 503 in words when ${name}`, async () => {
      const parts = house()
      break_(parts)
      const answer = await parts.server.inject('/readyz')
      expect(answer.statusCode).toBe(503)
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(answer.json().reasons).toEqual([expect.stringMatching(words)])
      expect(answer.body).not.toContain(token)
      expect(parts.logged.join('')).not.toMatch(/"level":(50|60)/)
    })
  }

  it('tells every reason at once', async () => {
    const { server, telephony, media } = house()
    telephony.ready = false
    media.alive = false
    const answer = await server.inject('/readyz')
    expect(answer.json().reasons).toHaveLength(2)
    expect(answer.json().detail).toBe('Asterisk is not connected. The media thread has stopped.')
  })

  it.each(['failing', 'silent'] as const)('only warns of a database that is %s', async how => {
    const { server, store } = house()
    store[how] = true
    const answer = await server.inject('/readyz')
    expect([answer.statusCode, answer.json().warnings]).toEqual([200, [expect.stringMatching(/database/)]])
  })

  it('warns while the journal fills with what the database has not taken', async () => {
    const { server, journal } = house()
    Object.assign(journal.figures, { waitingBytes: 40e6, waitingShare: 0.6, waitingMs: 90_000 })
    const answer = await server.inject('/readyz')
    expect(answer.json().warnings).toEqual([expect.stringMatching(/^The journal is 60 % full .*40 MB, for 90 s/)])
  })

  it('warns of a disk on which nothing is recorded any more', async () => {
    const { server, recorders } = house()
    for (const [disk, words] of [
      ['low', /nearly full/],
      ['full', /nothing is recorded/],
    ] as const) {
      recorders.disk = disk
      const answer = await server.inject('/readyz')
      expect([answer.statusCode, answer.json().warnings]).toEqual([200, [expect.stringMatching(words)]])
    }
  })

  it('only warns of a journal that cannot be written', async () => {
    const { server, journal } = house()
    journal.figures.failing = true
    const answer = await server.inject('/readyz')
    expect([answer.statusCode, answer.json().warnings]).toEqual([200, [expect.stringMatching(/journal/)]])
  })
})
