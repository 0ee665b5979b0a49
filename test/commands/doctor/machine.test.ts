import { describe, expect, it } from 'vitest'
import { readBusiness } from '../../../src/business.ts'
import { judgeAri } from '../../../src/commands/doctor/ari.ts'
import { judgeAsterisk } from '../../../src/commands/doctor/asterisk.ts'
import { judgeDisk } from '../../../src/commands/doctor/disk.ts'
import { judgeGateway } from '../../../src/commands/doctor/gateway.ts'
import { judgePorts } from '../../../src/commands/doctor/ports.ts'
import { judgeRtp } from '../../../src/commands/doctor/rtp.ts'
import { judgeSettings } from '../../../src/commands/doctor/settings.ts'
import { judgeTime, watchClocks } from '../../../src/commands/doctor/time.ts'
import { readiness, remedies } from '../../../src/server/readiness.ts'
import { requiredModules } from '../../../src/telephony/asterisk/modules.ts'
import { told } from './told.ts'

const nothingOfOurs = { gateway: undefined, asteriskPid: undefined }

describe('settings', () => {
  const defaults = { file: undefined, name: 'Desk', phone: undefined, ownerPhone: undefined, engine: 'local' as const }
  const business = readBusiness(defaults)
  const canTell = { text: true, mail: false }
  const fine = { doubts: [], envFileMode: undefined, unreadable: undefined, business, canTell }

  it('are valid, or each doubt is told', () => {
    const valid = 'ok: Every setting is valid; calls get the engine local (the built-in demo engine).'
    expect(told(judgeSettings(fine))).toEqual([valid])
    expect(told(judgeSettings({ ...fine, envFileMode: 0o100600 }))).toEqual([valid])
    const listening = { ...business, notify: { phone: '+15550100201', email: 'owner@example.com' } }
    expect(told(judgeSettings({ ...fine, business: listening }))).toEqual([
      valid,
      'hint: The business is to be told of calls by mail (notify), and SMTP_URL and SMTP_FROM are not set.',
    ])
    expect(
      told(
        judgeSettings({
          doubts: ['.env, line 1: SIP_TCP_PROT is not known: did you mean SIP_TCP_PORT?'],
          envFileMode: 0o100644,
          canTell,
          unreadable: '.env cannot be read (EACCES).',
          business: 'b.yaml: hours: no day',
        }),
      ),
    ).toEqual([
      'warning: .env, line 1: SIP_TCP_PROT is not known: did you mean SIP_TCP_PORT?',
      'warning: .env can be read by other users of this machine, and holds secrets.',
      'error: .env cannot be read (EACCES).',
      'error: b.yaml: hours: no day',
    ])
  })
})

describe('the gateway', () => {
  const running = { gateway: { holder: { pid: 7, name: 'node' } }, asteriskPid: 8 }
  const answer = (status: number, body: unknown) => ({ status, body, skewMs: undefined })

  it.each([
    ['not running', nothingOfOurs, undefined, 'hint: Parley is not running with this STATE_DIR.'],
    ['killed', { ...nothingOfOurs, asteriskPid: 8 }, undefined, /^hint: .*the Asterisk it left \(process 8\)/],
    ['ready', running, answer(200, {}), 'ok: Parley is running and would answer a call.'],
    [
      'not ready',
      running,
      answer(503, { detail: 'Asterisk is not connected.' }),
      /^error: .*Asterisk is not connected/,
    ],
    [
      'frozen',
      running,
      { unreachable: 'it did not answer within 5 s' },
      /^error: .*its API does not answer: it did not/,
    ],
  ])('is %s', (_, ours, readiness, words) => {
    const [only, ...more] = told(judgeGateway({ ours, readiness }))
    expect(only).toMatch(words)
    expect(more).toEqual([])
  })

  it('tells everything that the gateway warns of, whether it would answer a call or not', () => {
    const waiting = { waitingShare: 0.6, waitingBytes: 40e6, waitingMs: 90_000 }
    const state = (disk: 'low' | 'full', store: object, failing: boolean) =>
      readiness({
        ...{
          exchange: { ready: true },
          telephony: { ready: true },
          media: { alive: true },
          admission: { full: false },
        },
        ...{ recorders: { disk }, store, journal: { figures: { failing, ...waiting } }, work: { failed: 2 } },
      } as unknown as Parameters<typeof readiness>[0])
    const worst = state('full', { failing: true, silent: true }, true)
    const bad = state('low', { failing: false, silent: true }, false)
    const judged = (status: number, body: object) =>
      judgeGateway({ ours: running, readiness: answer(status, body) }).slice(1)
    const findings = [...judged(503, { detail: 'It is full.', ...worst }), ...judged(200, bad)]
    expect(told(findings)).toEqual([
      'warning: Parley is running, and says: The journal cannot be written: events wait in memory.',
      'warning: Parley is running, and says: The database takes no events: the journal keeps them.',
      'warning: Parley is running, and says: The disk is full: nothing is recorded.',
      'warning: Parley is running, and says: The journal is 60 % full of what the database has not taken (40 MB, for 90 s).',
      'warning: Parley is running, and says: The database does not answer: what it keeps cannot be told or changed.',
      'warning: Parley is running, and says: The disk is nearly full: recording ends soon.',
      'warning: Parley is running, and says: The journal is 60 % full of what the database has not taken (40 MB, for 90 s).',
    ])
    // Of jobs the doctor asks for itself, and tells more.
    expect([...worst.warnings, ...bad.warnings]).toHaveLength(findings.length + 2)
    expect(new Set(findings.map(({ remedy }) => remedy))).toEqual(
      new Set(Object.values({ ...remedies, jobs: remedies.disk })),
    )
    // Of a version that knows another.
    expect(told(judged(200, { warnings: ['The moon is full.'] }))).toEqual([
      'warning: Parley is running, and says: The moon is full.',
    ])
  })
})

describe('a port', () => {
  const wanted = { setting: 'SIP_TCP_PORT', protocol: 'tcp', address: '0.0.0.0', port: 5061 } as const
  const taken = (holder?: { pid: number; name: string }) => ({ wanted, refused: { code: 'EADDRINUSE', holder } })
  const asterisk = { pid: 8, name: 'asterisk' }

  it.each([
    ['free', { wanted, refused: undefined }, nothingOfOurs, 'ok: TCP 5061 (SIP_TCP_PORT) is free.'],
    [
      'held by our Asterisk',
      taken(asterisk),
      { ...nothingOfOurs, asteriskPid: 8 },
      /^ok: .*by Parley itself \(process 8\)/,
    ],
    [
      'held by the gateway',
      taken(asterisk),
      { gateway: { holder: asterisk }, asteriskPid: undefined },
      /^ok: .*Parley itself/,
    ],
    ['held by a stranger', taken(asterisk), nothingOfOurs, /^error: .*taken by process 8 \(asterisk\)\.$/],
    ['held by a stranger while Parley runs', taken(asterisk), { ...nothingOfOurs, asteriskPid: 9 }, /^error: /],
    ['held by nobody we may see', taken(), nothingOfOurs, 'error: TCP 5061 (SIP_TCP_PORT) is taken.'],
    [
      'held by another user while Parley runs',
      taken(),
      { ...nothingOfOurs, asteriskPid: 8 },
      /^hint: .*most likely by Parley/,
    ],
    [
      'not ours to open',
      { wanted, refused: { code: 'EACCES', holder: undefined } },
      nothingOfOurs,
      /^error: this user may not/,
    ],
  ])('is %s', (_, seen, ours, words) => {
    const [only, ...more] = told(judgePorts([seen], ours))
    if (words instanceof RegExp) expect(only).toMatch(words)
    else expect(only).toBe(words)
    expect(more).toEqual([])
  })

  it('serves one setting only', () => {
    const other = { ...wanted, setting: 'ARI_PORT', address: '127.0.0.1' }
    const seen = [wanted, other, { ...other, setting: 'SIP_UDP_PORT', protocol: 'udp' as const }]
    const findings = judgePorts(
      seen.map(wanted => ({ wanted, refused: undefined })),
      nothingOfOurs,
    )
    expect(told(findings)[0]).toBe('error: SIP_TCP_PORT and ARI_PORT are both TCP 5061.')
  })
})

describe('the RTP range', () => {
  const range = { start: 10_000, end: 10_100 }
  const fine = {
    range,
    maxCalls: undefined,
    sipUdpPort: 5060,
    takenPorts: [],
    systemRange: { start: 32_768, end: 60_999 },
  }
  const judged = (more: Partial<Parameters<typeof judgeRtp>[0]>) => told(judgeRtp({ ...fine, ...more }))

  it('carries the calls that are wanted, or says what it would take', () => {
    expect(judged({})).toEqual(['ok: RTP ports 10000-10100 carry 45 calls, which is the limit.'])
    expect(judged({ maxCalls: 45 })).toEqual(['ok: RTP ports 10000-10100 carry 45 calls; MAX_CALLS is 45.'])
    const [tooMany] = judgeRtp({ ...fine, maxCalls: 50 })
    expect(tooMany).toMatchObject({ severity: 'warning', remedy: expect.stringMatching(/RTP_PORT_END to 10111/) })
    expect(judged({ maxCalls: 50, range: { start: 10_000, end: 10_110 } })[0]).toMatch(/^warning: /)
    expect(judged({ maxCalls: 50, range: { start: 10_000, end: 10_111 } })[0]).toMatch(/^ok: /)
    const [never] = judgeRtp({ ...fine, range: { start: 65_000, end: 65_100 }, maxCalls: 500 })
    expect(never?.remedy).toBe('Lower RTP_PORT_START, or MAX_CALLS.')
  })

  it('is shared with other programs only as far as the spare pairs go', () => {
    expect(judged({ takenPorts: [9_999, 10_202] })).toHaveLength(1)
    expect(judged({ takenPorts: [10_000, 10_001, 10_050] })[1]).toMatch(/^warning: 3 of the RTP ports .* 5 pairs/)
    const six = [10_000, 10_002, 10_004, 10_006, 10_008, 10_010]
    expect(judged({ takenPorts: six })[1]).toMatch(
      /^error: 6 of the RTP ports 10000-10100 .*callers would be turned away/,
    )
    expect(judged({ takenPorts: six.map(port => port + 102) })[1]).toMatch(
      /^error: 6 of the ports to Asterisk 10101-10201 .*crash/,
    )
  })

  it('is apart from SIP and from what the system hands out', () => {
    expect(judged({ sipUdpPort: 10_050 })[1]).toBe(
      "error: SIP_UDP_PORT 10050 lies among Asterisk's RTP ports 10000-10201.",
    )
    const overlapping = judgeRtp({ ...fine, range: { start: 32_000, end: 33_000 } })
    expect(overlapping[1]).toMatchObject({
      severity: 'hint',
      remedy: expect.stringMatching(/Keep 32000-34001 below 32768/),
    })
  })
})

describe('Asterisk', () => {
  const program = {
    origin: 'unpacked',
    version: '22.10.1',
    command: [],
    moduleDirectory: '',
    dataDirectory: '',
  } as const
  const found = { program, problem: undefined, passedOver: [], missingModules: [], lacksMusic: false }

  it('is there, whole, damaged, wrong or still to come', () => {
    expect(told(judgeAsterisk(found))[0]).toMatch(/^ok: Asterisk 22\.10\.1 \(unpacked\) has all \d\d modules/)
    expect(told(judgeAsterisk({ ...found, missingModules: ['chan_pjsip.so'] }))[0]).toMatch(/^error: .*chan_pjsip\.so/)
    expect(told(judgeAsterisk({ ...found, lacksMusic: true }))[1]).toMatch(
      /^warning: .*music.*it rings for them instead/,
    )
    expect(told(judgeAsterisk({ ...found, program: undefined }))[0]).toBe('hint: No Asterisk is here yet.')
    expect(told(judgeAsterisk({ ...found, program: undefined, problem: 'ASTERISK is wrong.' }))).toEqual([
      'error: ASTERISK is wrong.',
    ])
    expect(told(judgeAsterisk({ ...found, passedOver: ['an installed one is old'] }))[0]).toBe(
      'hint: An installed one is old.',
    )
  })
})

describe('ARI', () => {
  const url = 'http://127.0.0.1:8088'
  const answer = (status: number, body: unknown = {}) => ({ status, body, skewMs: undefined })
  const system = (version: string) => answer(200, { system: { version } })
  const modules = (names: readonly string[]) =>
    answer(
      200,
      names.map(name => ({ name, status: 'Running' })),
    )
  const fine = { url, external: false, expected: true, info: system('22.10.1'), modules: modules(requiredModules()) }
  const judged = (more: Partial<Parameters<typeof judgeAri>[0]>) => told(judgeAri({ ...fine, ...more }))

  it('answers, with a version and all modules', () => {
    expect(judged({})).toEqual([
      'ok: ARI at http://127.0.0.1:8088 accepts the password.',
      'ok: The running Asterisk is 22.10.1.',
      'ok: It runs every module that calls need.',
    ])
    expect(judged({ info: system('20.9.3') })[1]).toMatch(/^error: The running Asterisk is 20\.9\.3; at least 22/)
    expect(judged({ info: system('certified/20.7') })[1]).toMatch(/^hint: /)
    expect(judged({ modules: modules(requiredModules().slice(2)) })[2]).toBe(
      `warning: It does not run ${requiredModules().slice(0, 2).join(', ')}.`,
    )
  })

  it('refuses, is silent, is none, or has no password yet', () => {
    expect(judged({ info: undefined })).toEqual(['hint: There is no ARI password yet.'])
    expect(judged({ info: answer(401) })).toEqual(['error: ARI at http://127.0.0.1:8088 refuses the password (401).'])
    expect(judged({ info: answer(404) })).toEqual([
      'error: What answers at http://127.0.0.1:8088 is no ARI (status 404).',
    ])
    const silent = { unreachable: 'nothing listens there' }
    expect(judged({ info: silent })).toEqual([
      'error: ARI at http://127.0.0.1:8088 does not answer: nothing listens there.',
    ])
    expect(judged({ info: silent, expected: false })[0]).toMatch(/^hint: .*not running/)
    expect(judgeAri({ ...fine, external: true, info: silent })[0]?.remedy).toContain('ARI_URL')
    expect(judgeAri({ ...fine, external: true, info: answer(401) })[0]?.remedy).toContain('ARI_PASSWORD')
  })

  it('is not spoken in the open', () => {
    const inTheOpen = /^warning: .*without TLS, password included/
    expect(judged({ url: 'http://8.8.8.8:8088' })[1]).toMatch(inTheOpen)
    expect(judged({ url: 'http://pbx.example.com:8088' })[1]).toMatch(inTheOpen)
    for (const safe of ['https://8.8.8.8:8089', 'http://10.1.2.3:8088', 'http://localhost:8088', 'http://[::1]:8088']) {
      expect(judged({ url: safe }).join()).not.toMatch(inTheOpen)
    }
  })
})

describe('the disk', () => {
  const fine = { stateDir: '/srv/parley', writable: true, freeBytes: 5e9, freeFiles: 1_000 }
  it.each([
    [{}, 'ok: 5.0 GB are free for STATE_DIR /srv/parley.'],
    [{ freeFiles: undefined }, /^ok: /],
    [{ freeBytes: 0.9e9 }, /^warning: Only 0\.9 GB/],
    [{ freeBytes: 0.1e9 }, /^error: Only 0\.1 GB .* lost/],
    [{ freeFiles: 0 }, /^error: No more files/],
    [{ writable: false }, /^error: .*cannot be written/],
  ])('%j', (more, words) => {
    expect(told(judgeDisk({ ...fine, ...more }))[0]).toMatch(words)
  })
})

describe('the clock', () => {
  const fine = { stepMs: 0, synchronised: true as boolean | undefined, skewsMs: new Map([['https://far', 900]]) }
  it.each([
    [{}, 'ok: The clock is kept right by NTP.'],
    [{ synchronised: undefined }, 'ok: The clock agrees with that of https://far.'],
    [{ synchronised: undefined, skewsMs: new Map() }, /^hint: .*cannot be told/],
    [{ synchronised: false }, 'warning: Nothing keeps the clock right.'],
    [{ skewsMs: new Map([['https://far', 60_000]]) }, /^warning: The clock is 60 s behind that of https:\/\/far/],
    [{ skewsMs: new Map([['https://far', -600_000]]) }, /^error: The clock is 600 s ahead of .*certificates/],
    [{ stepMs: -2_000 }, 'warning: The clock was set by -2.0 s while the doctor looked.'],
  ])('%o', (more, words) => {
    const [only, ...others] = told(judgeTime({ ...fine, ...more }))
    expect(only).toMatch(words)
    expect(others).toEqual([])
  })

  it('is watched against the one that nobody can set', () => {
    let [nowMs, wallMs] = [1_000, 500_000]
    const stepMs = watchClocks({ now: () => nowMs, wallMs: () => wallMs, after: () => () => {} })
    nowMs += 800
    wallMs += 800
    expect(stepMs()).toBe(0)
    wallMs += 3_000
    expect(stepMs()).toBe(3_000)
  })
})
