import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { limits } from '../../src/limits.ts'
import { Scope } from '../../src/scope.ts'
import type { AriEndpoint, AriListener } from '../../src/telephony/ari.ts'
import { backoffMs, Link } from '../../src/telephony/link.ts'
import { seeded } from '../support/random.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const unreachable = () => new GatewayError('ARI_UNREACHABLE', 'Nobody is there.', { retryable: true })
const refused = () => new GatewayError('ARI_REFUSED', 'Wrong password.')

/** A link to an endpoint that does what the test says, all in virtual time. */
class Bench {
  readonly clock = new VirtualClock()
  readonly scope = new Scope('link', error => this.told.push(`leak ${error}`))
  readonly told: string[] = []
  readonly attemptsAtMs: number[] = []
  connects: () => Promise<void> = async () => {}
  resyncs: () => Promise<void> = async () => {}
  pings: () => Promise<void> = async () => {}
  open = 0
  listener: AriListener | undefined
  readonly link = new Link({
    endpoint: { connect: listener => this.#connect(listener), ping: () => this.pings() } as AriEndpoint,
    clock: this.clock,
    random: seeded(3),
    scope: this.scope,
    event: event => this.told.push(event.kind),
    connected: () => this.resyncs(),
    changed: ready => this.told.push(ready ? 'ready' : 'not ready'),
    replaced: () => this.told.push('replaced'),
    trouble: error => this.told.push(error.code),
  })

  async #connect(listener: AriListener) {
    this.attemptsAtMs.push(this.clock.now())
    await this.connects()
    this.listener = listener
    this.open++
    const close = () => {
      this.open--
    }
    return { ping: () => this.pings(), close }
  }
}

const pending = () => new Promise<never>(() => {})

describe('the link', () => {
  it('tries for ever, waiting longer each time up to the bound, and tells the same trouble once', async () => {
    const bench = new Bench()
    bench.connects = () => Promise.reject(unreachable())
    const started = bench.link.start()
    await bench.clock.run(3_600_000)
    expect(bench.attemptsAtMs.length).toBeGreaterThan(3_600_000 / limits.ari.backoffMs.most)
    expect(bench.attemptsAtMs.length).toBeLessThan(3_600_000 / (limits.ari.backoffMs.most / 2) + 10)
    expect(bench.told.filter(told => told === 'ARI_UNREACHABLE').length).toBe(1)
    bench.connects = async () => {}
    await bench.clock.run(limits.ari.backoffMs.most)
    await started
    expect(bench.link.ready).toBe(true)
  })

  it('is ready only once everything has been read anew', async () => {
    const bench = new Bench()
    const reading = Promise.withResolvers<void>()
    bench.resyncs = () => reading.promise
    const started = bench.link.start()
    await bench.clock.settle()
    expect([bench.open, bench.link.ready]).toEqual([1, false])
    reading.resolve()
    await started
    expect(bench.link.ready).toBe(true)
  })

  it('that is lost while it reads is never ready', async () => {
    const bench = new Bench()
    const reading = Promise.withResolvers<void>()
    bench.resyncs = () => reading.promise
    void bench.link.start()
    await bench.clock.settle()
    bench.listener?.lost('cut')
    reading.resolve()
    await bench.clock.settle()
    expect([bench.link.ready, bench.told.includes('ready'), bench.open]).toEqual([false, false, 0])
  })

  it('connects again when what is there cannot be read', async () => {
    const bench = new Bench()
    bench.resyncs = () => Promise.reject(unreachable())
    void bench.link.start()
    await bench.clock.run(60_000)
    expect(bench.attemptsAtMs.length).toBeGreaterThan(10)
    expect(bench.open).toBe(0)
  })

  it('comes back at once after a life', async () => {
    const bench = new Bench()
    await bench.link.start()
    await bench.clock.run(60_000)
    bench.listener?.lost('cut')
    await bench.clock.run(limits.ari.backoffMs.first)
    expect([bench.link.ready, bench.attemptsAtMs.length]).toEqual([true, 2])
  })

  it('comes back ever more slowly to one who lets it in and throws it out', async () => {
    const bench = new Bench()
    bench.resyncs = async () => void setImmediate(() => bench.listener?.lost('cut'))
    await bench.link.start()
    await bench.clock.run(60_000)
    expect(bench.attemptsAtMs.length).toBeLessThan(35)
    expect(bench.open).toBe(0)
  })

  it('finds a connection dead whose heartbeat is not answered in time', async () => {
    const bench = new Bench()
    await bench.link.start()
    await bench.clock.run(10 * limits.ari.heartbeatMs)
    expect([bench.link.ready, bench.attemptsAtMs.length]).toEqual([true, 1])
    bench.pings = pending
    await bench.clock.run(2 * limits.ari.heartbeatMs)
    expect(bench.told.slice(-2)).toEqual(['ARI_TIMEOUT', 'not ready'])
    await bench.clock.run(limits.ari.backoffMs.first)
    expect([bench.attemptsAtMs.length, bench.open]).toEqual([2, 1])
  })

  it('refuses to start with a wrong password, and tries no more', async () => {
    const bench = new Bench()
    bench.connects = () => Promise.reject(refused())
    await expect(bench.link.start()).rejects.toMatchObject({ code: 'ARI_REFUSED' })
    await bench.clock.run(600_000)
    expect([bench.attemptsAtMs.length, bench.clock.pending]).toEqual([1, 0])
  })

  it('keeps trying when a password that was right is refused later', async () => {
    const bench = new Bench()
    await bench.link.start()
    bench.connects = () => Promise.reject(refused())
    bench.listener?.lost('cut')
    await bench.clock.run(60_000)
    expect(bench.told).toContain('ARI_REFUSED')
    bench.connects = async () => {}
    await bench.clock.run(limits.ari.backoffMs.most)
    expect(bench.link.ready).toBe(true)
  })

  it('steps down for good when it is replaced', async () => {
    const bench = new Bench()
    await bench.link.start()
    bench.listener?.event({ kind: 'replaced' })
    await bench.clock.run(3_600_000)
    expect(bench.told).toEqual(['ready', 'replaced', 'ARI_REFUSED', 'not ready'])
    expect([bench.link.ready, bench.attemptsAtMs.length, bench.open, bench.clock.pending]).toEqual([false, 1, 0, 0])
  })

  it('that is replaced before it was ready refuses to start', async () => {
    const bench = new Bench()
    bench.resyncs = pending
    const started = bench.link.start()
    await bench.clock.settle()
    bench.listener?.event({ kind: 'replaced' })
    await expect(started).rejects.toMatchObject({ code: 'ARI_REFUSED' })
  })

  it('ends with its scope, in every state, without a word', async () => {
    for (const state of ['connecting', 'reading', 'ready', 'waiting'] as const) {
      const bench = new Bench()
      if (state === 'connecting') bench.connects = pending
      if (state === 'reading') bench.resyncs = pending
      if (state === 'waiting') bench.connects = () => Promise.reject(unreachable())
      bench.link.start().catch(() => {})
      await bench.clock.settle()
      const told = bench.told.length
      await bench.scope.close()
      await bench.clock.run(60_000)
      expect([state, bench.told.length, bench.open, bench.clock.pending]).toEqual([state, told, 0, 0])
    }
  })
})

describe('the wait before the next attempt', () => {
  it('stays within its bounds, whatever the failures and the dice', () => {
    const { first, most } = limits.ari.backoffMs
    const dice = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.nat(10_000), dice, (failures, number) => {
        const waitMs = backoffMs(failures, () => number)
        expect(waitMs).toBeGreaterThanOrEqual(first / 2)
        expect(waitMs).toBeLessThanOrEqual(most)
      }),
    )
    expect([0, 1, 2, 20].map(failures => backoffMs(failures, () => 0))).toEqual([50, 100, 200, 2_500])
  })
})
