import { describe, expect, it } from 'vitest'
import type { Dialled, DialledEvent, Leg } from '../../src/call/ports.ts'
import { limits } from '../../src/limits.ts'
import type { FakeAri } from '../support/fake-ari.ts'
import { until } from '../support/until.ts'
import { fakeAri, fakeLine, type Gateway, gateway, LEASE_MS } from './harness.ts'

const request = {
  target: { dial: 'PJSIP/2000@pbx' },
  callerId: { number: '+15550001', name: 'Ana' },
  headers: { 'X-Parley-Call': 'c1' },
}

/** A caller who is live, and somebody who is being dialled for them. */
class Scene {
  readonly asterisk: FakeAri
  readonly parley: Gateway
  readonly leg: Leg
  readonly bridge: string
  readonly far: Dialled
  readonly told: DialledEvent[] = []

  private constructor(asterisk: FakeAri, parley: Gateway, leg: Leg, bridge: string, far: Dialled) {
    this.asterisk = asterisk
    this.parley = parley
    this.leg = leg
    this.bridge = bridge
    this.far = far
    far.onEvent(event => this.told.push(event))
  }

  static async open(): Promise<Scene> {
    const asterisk = await fakeAri()
    const parley = await gateway(asterisk)
    const leg = await parley.offered(asterisk.call())
    const { bridge } = await leg.connect(fakeLine().line)
    await leg.answer()
    return new Scene(asterisk, parley, leg, bridge, await leg.dial(request))
  }

  static async answered(): Promise<Scene> {
    const scene = await Scene.open()
    scene.asterisk.progress(scene.far.id, 'ANSWER')
    await scene.tells('answered')
    return scene
  }

  static async joined(): Promise<Scene> {
    const scene = await Scene.answered()
    expect(await scene.leg.join(scene.far)).toBe('joined')
    return scene
  }

  tells(kind: DialledEvent['kind']): Promise<void> {
    return until(() => this.told.some(event => event.kind === kind))
  }

  legTells(kind: string): Promise<void> {
    return until(() => this.parley.events.get(this.leg.id)?.some(event => event.kind === kind) ?? false)
  }

  get events() {
    return this.parley.events.get(this.leg.id)
  }

  /** The bridge that the caller is in. */
  get place(): string | undefined {
    return [...this.asterisk.bridges.values()].find(({ channels }) => channels.has(this.leg.id))?.id
  }

  get farBridge(): string {
    return [...this.asterisk.bridges.values()].find(({ channels }) => channels.has(this.far.id))?.id ?? ''
  }

  get isEmpty(): boolean {
    return this.asterisk.channels.size === 0 && this.asterisk.bridges.size === 0
  }
}

describe('somebody who is dialled', () => {
  it('is in a bridge of their own before, with caller id, headers and a lease', async () => {
    const { asterisk, leg, far } = await Scene.open()
    const asked = asterisk.requests.filter(({ path }) => path.includes(':dialled:') || path.endsWith('/create'))
    expect(asked.map(({ path }) => path.split('/').at(-1))).toEqual(['create', 'dial'])
    expect(Object.fromEntries(asterisk.channels.get(far.id)?.variables ?? [])).toEqual({
      PARLEY_CALLER: `PJSIP/trunk-${leg.id}`,
      'CHANNEL(hangup_handler_push)': 'dialled,s,1',
      'CHANNEL(musicclass)': 'waiting',
      'CONNECTEDLINE(num,i)': '+15550001',
      'CONNECTEDLINE(name,i)': 'Ana',
      'PJSIP_HEADER(add,X-Parley-Call)': 'c1',
      'TIMEOUT(absolute)': '15',
    })
  })

  it('tells what is heard of them, each once', async () => {
    const scene = await Scene.open()
    for (const status of ['RINGING', 'RINGING', 'PROGRESS', 'PROGRESS', 'ANSWER', 'RINGING'] as const) {
      scene.asterisk.progress(scene.far.id, status)
    }
    scene.asterisk.tell(scene.far.id, 'ChannelDtmfReceived', { digit: '1', duration_ms: 80 })
    scene.asterisk.hangUp(scene.far.id)
    await scene.tells('ended')
    expect(scene.told).toEqual([
      { kind: 'ringing' },
      { kind: 'ownSound' },
      { kind: 'answered' },
      { kind: 'digit', digit: '1', heldMs: 80 },
      { kind: 'ended', why: 'hungUp', cause: 'cause 16' },
    ])
  })

  it.each([
    [17, 'busy'],
    [21, 'rejected'],
    [19, 'noAnswer'],
    [34, 'unreachable'],
  ])('who ends with cause %i was %s, and nothing of them is left', async (cause, why) => {
    const scene = await Scene.open()
    scene.asterisk.hangUp(scene.far.id, cause)
    await scene.tells('ended')
    expect(scene.told).toEqual([{ kind: 'ended', why, cause: `cause ${cause}` }])
    await until(() => scene.asterisk.bridges.size === 1)
    expect(scene.place).toBe(scene.bridge)
  })

  it('may have ended before it is told that they are dialled', async () => {
    const scene = await Scene.open()
    scene.asterisk.afterRequest = ({ path }) => {
      if (path.endsWith('/dial')) scene.asterisk.hangUp(path.split('/')[2] ?? '', 17)
    }
    scene.asterisk.fault = ({ path }) => (path.endsWith('/dial') ? 'hangAfter' : undefined)
    const dialling = scene.leg.dial(request)
    await until(() => scene.asterisk.bridges.size === 2)
    await scene.parley.pass(limits.ari.requestMs)
    const events: DialledEvent[] = []
    ;(await dialling).onEvent(event => events.push(event))
    expect(events).toEqual([{ kind: 'ended', why: 'busy', cause: 'cause 17' }])
  })

  it('lives on a lease that is renewed as long as they are needed', async () => {
    const { asterisk, parley, far } = await Scene.open()
    const renewals = () => asterisk.requests.filter(({ path }) => path === `/channels/${far.id}/variables`).length
    await parley.pass(2 * LEASE_MS)
    expect(renewals()).toBe(2 * limits.call.renewalsPerLease)
    await far.close()
    await parley.pass(LEASE_MS)
    expect(renewals()).toBe(2 * limits.call.renewalsPerLease)
    expect(asterisk.channels.has(far.id)).toBe(false)
  })

  it('is gone with the caller', async () => {
    const scene = await Scene.open()
    scene.asterisk.hangUp(scene.leg.id)
    await until(() => scene.isEmpty)
  })

  it('who cannot be dialled leaves nothing', async () => {
    const { asterisk, leg } = await Scene.open()
    asterisk.fault = ({ path }) => (path.endsWith('/dial') ? { status: 500 } : undefined)
    await expect(leg.dial(request)).rejects.toMatchObject({ code: 'ARI_REJECTED' })
    expect([...asterisk.channels.keys()].filter(id => id.includes(':dialled:')).length).toBe(1)
    expect(asterisk.bridges.size).toBe(2)
  })

  it('hears a consulting line in their own bridge', async () => {
    const scene = await Scene.answered()
    const { line, peers } = fakeLine()
    const { channel, bridge } = await scene.far.consult(line)
    expect(peers.length).toBe(1)
    expect([...(scene.asterisk.bridges.get(bridge)?.channels ?? [])]).toEqual([scene.far.id, channel])
    await scene.far.close()
    expect([scene.asterisk.channels.size, scene.asterisk.bridges.size, scene.place]).toEqual([2, 1, scene.bridge])
  })
})

describe('the caller', () => {
  it('hears their sound and the line again, with one request each, and never both', async () => {
    const scene = await Scene.open()
    const { farBridge } = scene
    const moves = () => scene.asterisk.requests.filter(({ path }) => path.endsWith('/addChannel')).length
    const before = moves()
    await scene.leg.letHear(scene.far)
    await scene.leg.letHear(scene.far)
    expect(scene.place).toBe(farBridge)
    await scene.leg.letHear(undefined)
    expect(scene.place).toBe(scene.bridge)
    expect(moves()).toBe(before + 2)
  })

  it('hears the line again when the other one ends, or is not needed any more', async () => {
    for (const end of ['hangUp', 'close'] as const) {
      const scene = await Scene.open()
      await scene.leg.letHear(scene.far)
      if (end === 'close') await scene.far.close()
      else scene.asterisk.hangUp(scene.far.id, 17)
      await until(() => scene.place === scene.bridge && scene.asterisk.bridges.size === 1)
    }
  })

  it('hears music, until there is something else to be heard', async () => {
    const scene = await Scene.open()
    await scene.leg.letHear('music')
    expect([...scene.asterisk.music]).toEqual([scene.leg.id])
    await scene.leg.letHear(scene.far)
    expect([...scene.asterisk.music]).toEqual([])
    await scene.leg.letHear('music')
    await scene.leg.letHear(undefined)
    expect([scene.asterisk.music.size, scene.place]).toEqual([0, scene.bridge])
  })

  it('hears no music any more when joined', async () => {
    const scene = await Scene.answered()
    await scene.leg.letHear('music')
    expect(await scene.leg.join(scene.far)).toBe('joined')
    expect(scene.asterisk.music.size).toBe(0)
  })

  it.each(['hangAfter', 'hang', 'drop', 'garbage'] as const)(
    'is known to be where they are when the answer is lost: %s',
    async fault => {
      const scene = await Scene.open()
      const { farBridge } = scene
      scene.asterisk.fault = ({ path }) => (path.endsWith('/addChannel') ? fault : undefined)
      const moved = scene.leg.letHear(scene.far).then(
        () => farBridge,
        () => scene.bridge,
      )
      let place: string | undefined
      void moved.then(found => {
        place = found
      })
      await until(() => scene.asterisk.requests.some(({ path }) => path === `/bridges/${farBridge}/addChannel`))
      await scene.parley.pass(limits.ari.requestMs)
      scene.asterisk.fault = () => undefined
      await until(() => place !== undefined)
      expect(scene.place).toBe(place)
    },
  )

  it('is brought back by the next census when a lost request was carried out late', async () => {
    const scene = await Scene.open()
    const { farBridge } = scene
    const late = Promise.withResolvers<void>()
    scene.asterisk.fault = ({ path }) =>
      path === `/bridges/${farBridge}/addChannel` ? { before: late.promise } : undefined
    const moved = expect(scene.leg.letHear(scene.far)).rejects.toMatchObject({ code: 'ARI_TIMEOUT' })
    await until(() => scene.asterisk.requests.some(({ path }) => path === `/bridges/${farBridge}/addChannel`))
    await scene.parley.pass(limits.ari.requestMs)
    await moved
    late.resolve()
    await until(() => scene.place === farBridge)
    await scene.parley.sweep()
    await until(() => scene.place === scene.bridge)
  })
})

describe('joining', () => {
  it('leaves the two in a bridge of the PBX, and nothing of ours', async () => {
    const { asterisk, leg, far, parley } = await Scene.joined()
    await until(() => asterisk.channels.size === 2 && asterisk.bridges.size === 1)
    expect([...asterisk.bridges.values()].map(({ channels }) => [...channels])).toEqual([[leg.id, far.id]])
    const { variables } = asterisk.channels.get(far.id)!
    expect(variables.get('TIMEOUT(absolute)')).toBe(String(4 * 3_600))
    const before = asterisk.requests.length
    await parley.pass(2 * LEASE_MS)
    expect(asterisk.requests.slice(before).filter(({ method }) => method !== 'GET')).toEqual([])
    expect(parley.telephony.outsiders).toBe(0)
  })

  it('leaves the other one on no lease from then on, and on one again when it does not come about', async () => {
    const scene = await Scene.answered()
    const boundOf = () => scene.asterisk.channels.get(scene.far.id)?.variables.get('TIMEOUT(absolute)')
    const led = Promise.withResolvers<void>()
    scene.asterisk.fault = ({ path }) => (path.endsWith('/continue') ? { before: led.promise } : undefined)
    const joined = scene.leg.join(scene.far)
    await until(() => scene.asterisk.requests.some(({ path }) => path.endsWith('/continue')))
    await scene.parley.pass(limits.ari.requestMs - 1_000)
    expect(boundOf()).toBe(String(4 * 3_600))
    scene.asterisk.fault = () => undefined
    scene.asterisk.channels.get(scene.leg.id)?.variables.set('PARLEY_OTHER', '')
    led.resolve()
    expect(await joined).toBe('otherGone')
    await until(() => boundOf() === '15')
  })

  it.each(['the caller', 'the other one'])('ends for both when %s hangs up', async who => {
    const scene = await Scene.joined()
    scene.asterisk.hangUp(who === 'the caller' ? scene.leg.id : scene.far.id)
    await scene.parley.gone(scene.leg.id)
    expect(scene.events).toEqual([expect.objectContaining({ kind: 'gone', how: 'hungUp' })])
    await until(() => scene.isEmpty)
  })

  it('ends by our own hang-up', async () => {
    const scene = await Scene.joined()
    await scene.leg.hangup('normal')
    await scene.parley.gone(scene.leg.id)
    await until(() => scene.isEmpty)
  })

  it('goes on when the leg is closed: those who talk are outsiders then', async () => {
    const scene = await Scene.joined()
    await scene.leg.close()
    expect(scene.parley.telephony.outsiders).toBe(2)
    await scene.parley.sweep()
    expect(scene.asterisk.channels.size).toBe(2)
    expect(scene.parley.telephony.outsiders).toBe(2)
    expect(scene.events).toEqual([])
  })

  it('gives the caller back who is left by the other one without a word; a new line is theirs', async () => {
    const scene = await Scene.joined()
    scene.asterisk.hangUp(scene.far.id, 44)
    await scene.legTells('returned')
    const { bridge, channel } = await scene.leg.connect(fakeLine().line)
    expect([...(scene.asterisk.bridges.get(bridge)?.channels ?? [])]).toEqual([scene.leg.id, channel])
    await scene.parley.pass(LEASE_MS)
    expect(scene.asterisk.channels.get(scene.leg.id)?.variables.get('TIMEOUT(absolute)')).toBe('15')
    await scene.leg.hangup('normal')
    await scene.parley.gone(scene.leg.id)
    await until(() => scene.isEmpty)
  })

  it('with somebody who has just gone brings the caller back to their line', async () => {
    const scene = await Scene.answered()
    scene.asterisk.fault = ({ path }) => {
      if (path.endsWith('/continue')) scene.asterisk.hangUp(scene.far.id)
      return undefined
    }
    expect(await scene.leg.join(scene.far)).toBe('otherGone')
    expect(scene.place).toBe(scene.bridge)
    expect(await scene.leg.join(scene.far)).toBe('otherGone')
    expect(scene.events).toEqual([])
  })

  it('is no more when the caller has gone', async () => {
    const scene = await Scene.answered()
    scene.asterisk.fault = ({ path }) => {
      if (path.endsWith('/continue')) scene.asterisk.hangUp(scene.leg.id)
      return undefined
    }
    expect(await scene.leg.join(scene.far)).toBe('callerGone')
    await until(() => scene.isEmpty)
  })

  it('that was asked for in vain and comes about late gives the caller back to their line', async () => {
    const scene = await Scene.answered()
    const late = Promise.withResolvers<void>()
    scene.asterisk.fault = ({ path }) => (path.endsWith('/continue') ? { before: late.promise } : undefined)
    let refused = false
    void scene.leg.join(scene.far).catch(() => {
      refused = true
    })
    while (!refused) await scene.parley.pass(1_000)
    expect(scene.place).toBe(scene.bridge)
    late.resolve()
    await until(() => scene.asterisk.channels.get(scene.leg.id)?.context === 'returned')
    await until(() => scene.place === scene.bridge)
    expect(scene.events).toEqual([])
  })
})

describe('what happens while nobody tells us', () => {
  it.each([
    ['ends', 16, 'gone'],
    ['gives the caller back', 44, 'returned'],
  ] as const)('to the joined is known when the connection is back: it %s', async (_, cause, kind) => {
    const scene = await Scene.joined()
    scene.asterisk.fault = ({ path }) => (path.startsWith('/applications') ? 'drop' : undefined)
    scene.asterisk.cutEventSockets()
    await until(() => !scene.parley.telephony.ready)
    // Asterisk still knows of the application: it has been away for a moment only.
    scene.asterisk.hangUp(scene.far.id, cause)
    scene.asterisk.fault = () => undefined
    await scene.parley.readyAgain()
    if (kind === 'gone') await scene.legTells('gone')
    else await until(() => scene.events?.some(event => event.kind === 'returned' || event.kind === 'gone') ?? false)
  })

  it('to one who is dialled is known, too', async () => {
    const scene = await Scene.open()
    scene.asterisk.cutEventSockets()
    await until(() => !scene.parley.telephony.ready)
    scene.asterisk.hangUp(scene.far.id, 17)
    await scene.parley.readyAgain()
    await scene.tells('ended')
    expect(scene.told.at(-1)).toMatchObject({ kind: 'ended', why: 'unreachable' })
  })
})

describe('a gateway that is started again', () => {
  async function restarted(): Promise<{ scene: Scene; next: Gateway }> {
    const scene = await Scene.joined()
    await until(() => scene.asterisk.channels.size === 2)
    const next = await gateway(scene.asterisk, { seed: 2 })
    return { scene, next }
  }

  it('lets those talk on whom its earlier life has joined, and knows when they are done', async () => {
    const { scene, next } = await restarted()
    await next.sweep()
    expect([next.legs.length, next.telephony.outsiders, scene.asterisk.channels.size]).toEqual([0, 2, 2])
    const over = next.telephony.talking(scene.leg.id)
    expect(over).toBeDefined()
    scene.asterisk.hangUp(scene.far.id)
    await over
    expect(next.telephony.talking(scene.leg.id)).toBeUndefined()
    await next.sweep()
    expect([next.telephony.outsiders, scene.isEmpty]).toEqual([0, true])
  })

  it('takes a caller over who is given back', async () => {
    const { scene, next } = await restarted()
    const over = next.telephony.talking(scene.leg.id)
    scene.asterisk.hangUp(scene.far.id, 44)
    expect((await next.offered(scene.leg.id)).takenOver).toBe(true)
    await over
  })

  it('removes whom its earlier life was dialling, and leaves the caller to be taken over', async () => {
    const scene = await Scene.open()
    const next = await gateway(scene.asterisk, { seed: 2 })
    expect((await next.offered(scene.leg.id)).takenOver).toBe(true)
    await until(() => scene.asterisk.channels.size === 1 && scene.asterisk.bridges.size === 0)
  })
})
