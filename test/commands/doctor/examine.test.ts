import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { examine } from '../../../src/commands/doctor/examine.ts'
import { holdStateDir } from '../../../src/state-dir.ts'
import { freePort } from '../../support/asterisk.ts'
import { told } from './told.ts'
import { keys, openVendors } from './vendors.ts'

let folder: string
let environment: Record<string, string>
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-doctor-'))
  const [http, sip, ari, rtp] = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  environment = {
    PATH: process.env['PATH'] ?? '',
    STATE_DIR: join(folder, 'state'),
    ASTERISK_CACHE: join(folder, 'nothing-fetched'),
    HTTP_PORT: String(http),
    SIP_TCP_PORT: String(sip),
    SIP_UDP_PORT: String(sip),
    ARI_PORT: String(ari),
    RTP_PORT_START: String(rtp),
    RTP_PORT_END: String(rtp + 8),
  }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function found(check: string, more: Record<string, string> = {}): Promise<string[]> {
  const findings = await examine(folder, { ...environment, ...more })
  return told(findings).filter((_, at) => findings[at]?.check === check)
}

const all = [
  ...['settings', 'gateway', 'ports', 'asterisk', 'ari', 'rtp', 'network', 'firewall', 'openai', 'twilio', 'disk'],
  ...['recordings', 'digests', 'jobs', 'clock'],
]

describe('on a machine where nothing runs', () => {
  it('finds no error, and looks at everything', async () => {
    const findings = await examine(folder, environment)
    expect(told(findings).filter(words => words.startsWith('error'))).toEqual([])
    expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(all))
  })

  it('names wrong settings, and each mistyped one', async () => {
    expect(await found('settings', { RTP_PORT_END: '1' })).toEqual([
      expect.stringMatching(/^error: The configuration has 1 problem\(s\):\n {2}- RTP_PORT_END must be/),
    ])
    expect(await found('settings', { HTTP_PROT: '1', BUSINESS_FILE: '/nonexistent.yaml' })).toEqual([
      'warning: HTTP_PROT is not known: did you mean HTTP_PORT?',
      expect.stringMatching(/^error: \/nonexistent\.yaml: .*\n {2}- BUSINESS_FILE cannot be read: ENOENT/),
    ])
    await writeFile(join(folder, '.env'), 'COLOUR=blue\n', { mode: 0o644 })
    expect(await found('settings')).toEqual([
      expect.stringMatching(/^warning: \.env, line 1: COLOUR is not known/),
      expect.stringMatching(/^warning: \.env can be read by other users/),
    ])
    await writeFile(join(folder, '.env'), 'HTTP_PORT\n')
    expect(await found('settings')).toEqual([
      expect.stringMatching(/^error: The configuration has 1 problem\(s\):\n {2}- \.env, line 1: not/),
    ])
  })

  it('tells all that is wrong with the settings at once, also of a business that nobody could talk for', async () => {
    const file = join(folder, 'business.yaml')
    await writeFile(file, 'name: Desk\nengine: realtime\n')
    expect(await found('settings', { BUSINESS_FILE: file })).toEqual([
      expect.stringMatching(/^error: .*business\.yaml: .*\n {2}- engine: realtime needs OPENAI_API_KEY/),
    ])
    await writeFile(join(folder, '.env'), 'HTTP_PORT\nMAX_CALLS=many\n', { mode: 0o600 })
    const [problem, ...more] = await found('settings', { BUSINESS_FILE: file })
    expect(more).toEqual([])
    for (const each of [
      '.env, line 1: not',
      'MAX_CALLS must be',
      'business.yaml: engine: realtime needs OPENAI_API_KEY',
    ])
      expect(problem).toContain(each)
  })

  it('looks at everything else when something cannot be looked at', async () => {
    const state = join(folder, 'state')
    await mkdir(state)
    await symlink('nowhere', join(state, 'ari-password'))
    await mkdir(join(folder, '.env'))
    const findings = await examine(folder, environment)
    expect(told(findings).filter(words => words.startsWith('error'))).toEqual([
      expect.stringMatching(/^error: .*\.env cannot be read \(EISDIR\)\. It must be a file\.$/),
      expect.stringMatching(/^error: .*ari-password cannot be read \(ELOOP\)\. It must be a file, not a link\.$/),
    ])
    expect(new Set(findings.map(({ check }) => check))).toEqual(new Set(all))
  })

  it('finds a taken port, and who has it', async () => {
    const server = createServer().listen(Number(environment['SIP_TCP_PORT']), '0.0.0.0')
    await once(server, 'listening')
    expect(await found('ports')).toContainEqual(
      expect.stringMatching(new RegExp(`^error: TCP \\d+ \\(SIP_TCP_PORT\\) is taken by process ${process.pid} \\(`)),
    )
    server.close()
  })

  it('finds a range of RTP ports that others hold', async () => {
    const first = Number(environment['RTP_PORT_START'])
    const sockets = [first, first + 2, first + 4].map(port => createSocket('udp4').bind(port, '127.0.0.1'))
    await Promise.all(sockets.map(socket => once(socket, 'listening')))
    expect(await found('rtp')).toContainEqual(
      expect.stringMatching(/^error: 3 of the RTP ports .*callers would be turned away/),
    )
    for (const socket of sockets) socket.close()
  })

  it('finds a state folder that cannot be made', async () => {
    expect(await found('disk', { STATE_DIR: '/etc/hostname/parley' })).toEqual([
      expect.stringMatching(/^error: STATE_DIR .* cannot be written/),
    ])
  })

  it('finds folders of recordings that cannot be written', async () => {
    await mkdir(join(folder, 'state'))
    await writeFile(join(folder, 'state/recordings'), '')
    const [barred, room, ...more] = await found('recordings')
    expect(barred).toBe(
      `error: ${join(folder, 'state/recordings')} is no folder that this user can write to: no call is recorded.`,
    )
    expect(room).toMatch(/\d [GM]B are free for recordings and voicemail/)
    expect(more).toEqual([expect.stringMatching(/^(ok|hint): .*made smaller by libopus/)])
  })

  it('finds hooks without a secret, also of a business that is in the database alone', async () => {
    const hooks = [{ name: 'crm', url: 'https://crm.example.com/parley', secret: 'TOOL_CRM' }]
    const file = join(folder, 'business.yaml')
    await writeFile(file, JSON.stringify({ name: 'Desk', hooks }))
    await mkdir(join(folder, 'state'))
    const at = '2026-11-27T09:00:00.000Z'
    const row = { active: true, version: 1, createdAt: at, changedAt: at, fileHash: null }
    const branch = { id: 'branch', choice: { name: 'Branch', hooks: [{ ...hooks[0], secret: 'TOOL_BRANCH' }] }, ...row }
    await writeFile(join(folder, 'state/businesses.json'), JSON.stringify({ own: null, businesses: [branch] }))
    const secret = 'a secret of this integrator'
    const missing = (business: string, name: string) =>
      `error: The hook crm of ${business} is signed with ${name}, which is not set: from the next start on its calls are refused.`
    const known = { BUSINESS_FILE: file, TOOL_CRM: secret }
    expect(await found('hooks', { BUSINESS_FILE: file })).toEqual([
      missing('desk', 'TOOL_CRM'),
      missing('branch', 'TOOL_BRANCH'),
    ])
    expect(await found('hooks', known)).toEqual([missing('branch', 'TOOL_BRANCH')])
    expect(await found('hooks', { ...known, TOOL_BRANCH: secret })).toEqual(['ok: All 2 hooks have their secrets.'])
  })

  it('finds an Asterisk that is none', async () => {
    expect(await found('asterisk', { ASTERISK: '/bin/true' })).toEqual([
      expect.stringMatching(/^error: ASTERISK cannot be used: \/bin\/true -V does not tell a version/),
    ])
    const old = join(folder, 'asterisk')
    await writeFile(old, '#!/bin/sh\necho "Asterisk 20.1.2"\n', { mode: 0o755 })
    expect(await found('asterisk', { PATH: `${folder}:${environment['PATH']}` })).toContainEqual(
      expect.stringMatching(/^hint: An installed Asterisk is passed over: .* is version 20\.1\.2; at least/),
    )
  })

  it('finds an Asterisk of another that does not answer, or is none', async () => {
    const external = { ASTERISK: 'external', ARI_PASSWORD: 'secret-password' }
    expect(await found('ari', external)).toEqual([
      expect.stringMatching(/^error: .*does not answer: nothing listens there/),
    ])
    await using vendors = await openVendors()
    expect(await found('ari', { ...external, ARI_URL: vendors.url })).toEqual([
      expect.stringMatching(/^error: .*refuses the password \(401\)/),
    ])
  })
})

it('finds a gateway that holds the folder and does not answer', async () => {
  await mkdir(join(folder, 'state'))
  const state = await holdStateDir(join(folder, 'state'))
  expect(await found('gateway')).toEqual([
    expect.stringMatching(/^error: .*its API does not answer: nothing listens there/),
  ])
  const server = createServer().listen(Number(environment['HTTP_PORT']), '127.0.0.1')
  await once(server, 'listening')
  expect(await found('ports')).toContainEqual(
    `ok: TCP ${environment['HTTP_PORT']} (HTTP_PORT) is held by Parley itself (process ${process.pid}).`,
  )
  server.close()
  await state.release()
}, 30_000)

describe('the keys', () => {
  const vendorsAt = (url: string) => ({ OPENAI_BASE_URL: `${url}/v1`, TWILIO_BASE_URL: url })
  const webhooks = { PUBLIC_BASE_URL: 'https://parley.example.com', SIP_DOMAIN: 'sip.example.com' }
  const twilioByToken = { ...webhooks, TWILIO_ACCOUNT_SID: keys.accountSid, TWILIO_AUTH_TOKEN: keys.authToken }
  const twilioByKey = {
    TWILIO_ACCOUNT_SID: keys.accountSid,
    TWILIO_API_KEY: keys.apiKey,
    TWILIO_API_SECRET: keys.apiSecret,
  }

  it('of OpenAI are accepted, refused, barred or not tried', async () => {
    await using vendors = await openVendors()
    const tried = (OPENAI_API_KEY: string) => found('openai', { ...vendorsAt(vendors.url), OPENAI_API_KEY })
    expect(await tried(keys.openai)).toEqual([`ok: ${vendors.url} accepts it and lists 3 models.`])
    expect(vendors.requests).toContainEqual({ path: '/v1/models', authorization: `Bearer ${keys.openai}` })
    expect(await tried('sk-wrong')).toEqual([`error: ${vendors.url} refuses the key (401).`])
    expect(await tried('sk-barred')).toEqual([`error: ${vendors.url} knows the key but lets it do nothing here (403).`])
    expect(await tried('sk-with-ümlaut')).toEqual(['error: OPENAI_API_KEY holds characters that no key has.'])
    const nowhere = { OPENAI_BASE_URL: `http://127.0.0.1:${await freePort()}`, OPENAI_API_KEY: keys.openai }
    expect(await found('openai', nowhere)).toEqual([
      expect.stringMatching(/^warning: .*could not be reached \(nothing listens there\), so the key was not tried/),
    ])
  })

  it('of OpenAI open a model that is offered, and not retired', async () => {
    await using vendors = await openVendors()
    const named = (more: Record<string, string>) =>
      found('models', { ...vendorsAt(vendors.url), OPENAI_API_KEY: keys.openai, ...more })
    const builtIn = { TRANSCRIBER: 'built-in', SUMMARIZER: 'built-in' }
    const ended = (OPENAI_REALTIME_MODEL: string) => named({ ...builtIn, OPENAI_REALTIME_MODEL })
    expect(await ended('gpt-realtime-2.1')).toEqual([expect.stringMatching(/^ok: No end of/)])
    expect(await ended('gpt-old')).toEqual([expect.stringMatching(/^error: gpt-old .* was retired on 2020-01-01/)])
    expect(await ended('gpt-none')).toEqual([expect.stringMatching(/^error: .*does not offer gpt-none/)])
    expect((await named({})).slice(1)).toEqual([
      'ok: No end of gpt-transcribe (OPENAI_TRANSCRIPTION_MODEL) is announced.',
      expect.stringMatching(/^warning: .*does not offer gpt-5\.4-mini \(OPENAI_SUMMARY_MODEL\)/),
    ])
  })

  it("of Twilio are accepted, refused, malformed or not tried; the number is the account's", async () => {
    await using vendors = await openVendors()
    const tried = (more: Record<string, string>) => found('twilio', { ...vendorsAt(vendors.url), ...more })
    expect(await tried(twilioByToken)).toEqual(['ok: Twilio accepts the auth token; the account is active.'])
    expect(await tried(twilioByKey)).toEqual(['ok: Twilio accepts the API key.'])
    expect(await tried({ ...twilioByKey, TWILIO_API_SECRET: 'wrong' })).toEqual([
      'error: Twilio refuses the API key (401, error 20003).',
    ])
    expect(await tried({ ...twilioByToken, TWILIO_AUTH_TOKEN: 'd'.repeat(32) })).toEqual([
      'error: Twilio refuses the auth token (401, error 20003).',
    ])
    // A key may stand for the token where Parley asks; Twilio signs with the token all the same.
    const byBoth = { ...twilioByKey, ...twilioByToken }
    expect(await tried(byBoth)).toEqual([
      'ok: Twilio accepts the auth token; the account is active.',
      'ok: Twilio accepts the API key.',
    ])
    expect(await tried({ ...byBoth, TWILIO_AUTH_TOKEN: 'd'.repeat(32) })).toEqual([
      'error: Twilio refuses the auth token (401, error 20003).',
      'ok: Twilio accepts the API key.',
    ])
    expect(await tried({ ...twilioByToken, TWILIO_PHONE_NUMBER: keys.number })).toEqual([
      'ok: Twilio accepts the auth token; the account is active.',
      'ok: TWILIO_PHONE_NUMBER is a number of this account.',
    ])
    expect((await tried({ ...twilioByKey, TWILIO_PHONE_NUMBER: '+15550100299' }))[1]).toBe(
      'error: TWILIO_PHONE_NUMBER is no number of this account.',
    )
    const asked = () => vendors.requests.filter(({ path }) => path.startsWith('/2010'))
    const before = asked().length
    expect(await tried({ TWILIO_ACCOUNT_SID: keys.apiKey, TWILIO_AUTH_TOKEN: 'short', TWILIO_API_KEY: 'SK1' })).toEqual(
      [
        'error: TWILIO_ACCOUNT_SID is not AC and 32 hexadecimal digits: it is an API key, which belongs in TWILIO_API_KEY.',
        'error: TWILIO_AUTH_TOKEN is not 32 hexadecimal digits.',
        'error: TWILIO_API_KEY is not SK and 32 hexadecimal digits.',
        'error: TWILIO_API_KEY is set without TWILIO_API_SECRET.',
      ],
    )
    expect(await tried({ TWILIO_AUTH_TOKEN: keys.authToken })).toEqual([
      'error: TWILIO_ACCOUNT_SID is missing beside the other keys.',
    ])
    expect(await tried({ TWILIO_ACCOUNT_SID: keys.accountSid })).toEqual([
      'error: TWILIO_ACCOUNT_SID has neither TWILIO_AUTH_TOKEN nor TWILIO_API_KEY beside it.',
    ])
    expect(asked()).toHaveLength(before)
    const nowhere = { TWILIO_BASE_URL: `http://127.0.0.1:${await freePort()}`, ...twilioByToken }
    expect(await found('twilio', nowhere)).toEqual([
      expect.stringMatching(/^warning: .*so the auth token was not tried/),
    ])
  })

  it('of Twilio may be another than the one that is meant: a server that tells its time shows our clock wrong', async () => {
    await using vendors = await openVendors({ skewMs: 3_600_000 })
    expect(await found('clock', { ...vendorsAt(vendors.url), ...twilioByToken })).toContainEqual(
      expect.stringMatching(/^error: The clock is 3[56]\d\d s behind that of/),
    )
  })
})

describe('the command', () => {
  const run = (flags: readonly string[], more: Record<string, string>) =>
    new Promise<{ code: number; stdout: string; stderr: string }>(resolve => {
      const program = join(import.meta.dirname, '../../../src/commands/doctor.ts')
      const options = { env: { ...environment, ...more }, cwd: folder }
      execFile(process.execPath, [program, ...flags], options, (error, stdout, stderr) =>
        resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
      )
    })

  it('ends with 1 when there is an error, prints for people and programs, and never a secret', async () => {
    await using vendors = await openVendors()
    const secrets = {
      API_TOKEN: 'secret-token-of-api',
      ARI_PASSWORD: 'secret-password-of-ari',
      OPENAI_API_KEY: 'sk-secret-and-refused',
      OPENAI_BASE_URL: vendors.url,
      TWILIO_ACCOUNT_SID: keys.accountSid,
      TWILIO_AUTH_TOKEN: keys.authToken,
      TWILIO_API_SECRET: 'secret-without-key',
      TWILIO_BASE_URL: vendors.url,
    }
    // One after the other: each opens every port for a moment.
    const text = await run([], secrets)
    const json = await run(['--json'], secrets)
    const fine = await run([], {})
    expect([text.code, json.code, fine.code]).toEqual([1, 1, 0])
    expect(text.stdout).toMatch(/^ERROR +openai +http:\S+ refuses the key \(401\)\.\n +-> Set OPENAI_API_KEY to /m)
    expect(text.stdout).toMatch(/\n\n2 errors, \d+ warnings?, \d+ hints\n$/)
    const { findings, counts } = JSON.parse(json.stdout)
    expect(counts.error).toBe(2)
    expect(findings).toContainEqual({
      check: 'twilio',
      severity: 'error',
      words: 'TWILIO_API_SECRET is set without TWILIO_API_KEY.',
      remedy: "Copy it again from Twilio's console.",
    })
    const everything = [text, json].flatMap(each => [each.stdout, each.stderr]).join('\n')
    expect(everything).not.toMatch(/secret-/)
    expect(everything).not.toContain(keys.authToken)
    expect([text.stderr, json.stderr, fine.stderr]).toEqual(['', '', ''])
  })
})
