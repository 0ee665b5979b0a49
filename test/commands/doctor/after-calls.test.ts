import { describe, expect, it } from 'vitest'
import { readBusiness } from '../../../src/business.ts'
import { digestModels, judgeDigests } from '../../../src/commands/doctor/digests.ts'
import { judgeHooks } from '../../../src/commands/doctor/hooks.ts'
import { judgeJobs } from '../../../src/commands/doctor/jobs.ts'
import { ownAddress } from '../../../src/commands/doctor/openai.ts'
import { judgeRecordings } from '../../../src/commands/doctor/recordings.ts'
import { readConfig } from '../../../src/config.ts'
import { told } from './told.ts'

const answer = (status: number, body: unknown = {}) => ({ status, body, skewMs: undefined })

describe('what was recorded', () => {
  const recordings = { what: 'recordings', folder: '/srv/recordings', writable: true, freeBytes: 5e9, disk: 1 } as const
  const voicemail = { ...recordings, what: 'voicemail', folder: '/srv/voicemail' } as const
  const judged = (ofBoth: Partial<typeof recordings>, ofMail: { disk?: number; writable?: boolean } = {}) =>
    told(
      judgeRecordings({
        rooms: [
          { ...recordings, ...ofBoth },
          { ...voicemail, ...ofBoth, ...ofMail },
        ],
        encoder: 'compiled',
      }),
    )
  const compiled = 'ok: What was recorded is made smaller by libopus, compiled for this machine.'

  it('has room on its disk, or on two, or what then happens is told', () => {
    expect(judged({})).toEqual(['ok: 5.0 GB are free for recordings and voicemail.', compiled])
    expect(judged({ freeBytes: 0.9e9 as 5e9 })).toEqual([
      'warning: Only 900 MB are free for recordings and voicemail: no call is recorded and no message is taken any more below 200 MB.',
      compiled,
    ])
    expect(judged({ freeBytes: 199.9e6 as 5e9 })).toEqual([
      expect.stringMatching(
        /^error: Only 199 MB .*: calls go on, but no call is recorded and no message is taken until there are 200 MB/,
      ),
      compiled,
    ])
    expect(judged({}, { disk: 2 })).toEqual([
      'ok: 5.0 GB are free for recordings.',
      'ok: 5.0 GB are free for voicemail.',
      compiled,
    ])
  })

  it('has folders that can be written', () => {
    expect(judged({ writable: false as true })).toEqual([
      'error: /srv/recordings is no folder that this user can write to: no call is recorded.',
      'error: /srv/voicemail is no folder that this user can write to: no message is taken.',
      expect.stringMatching(/^ok: 5\.0 GB/),
      compiled,
    ])
  })

  it('is made smaller by an encoder that can be compiled', () => {
    const [finding] = judgeRecordings({ rooms: [], encoder: 'WebAssembly' })
    expect(told([finding!])).toEqual([expect.stringMatching(/^hint: .*WebAssembly, which takes three times as long/)])
    expect(finding?.remedy).toContain('npm run opus')
  })
})

describe('words', () => {
  const defaults = { file: undefined, name: 'Desk', phone: undefined, ownerPhone: undefined, engine: 'local' as const }
  const desk = readBusiness(defaults)
  const { digests } = readConfig({})
  const fine = { digests, baseUrl: ownAddress, reachable: false, hasSpeechPrograms: true, businesses: [desk] }
  const judged = (more: Partial<typeof fine> = {}) => told(judgeDigests({ ...fine, ...more }))
  const withKey = { reachable: true, digests: readConfig({ OPENAI_API_KEY: 'sk-key' }).digests }
  const withNobody = { digests: readConfig({ TRANSCRIBER: 'none', SUMMARIZER: 'none' }).digests }

  it('are made something of by OpenAI with a key, else by what is built in, or by nobody', () => {
    expect(judged()).toEqual([
      'hint: Messages are written down by what is built in, as far as it was understood: OPENAI_API_KEY is not set.',
      "hint: Calls are told in short by what is built in, in the caller's own sentences: OPENAI_API_KEY is not set.",
    ])
    expect(judged(withKey)).toEqual([
      'ok: Messages are written down by gpt-transcribe at https://api.openai.com.',
      'ok: Calls are told in short by gpt-5.4-mini at https://api.openai.com.',
    ])
    expect(judged({ reachable: true })).toEqual([
      'ok: Messages are written down by what is built in, as far as it was understood (TRANSCRIBER=built-in).',
      "ok: Calls are told in short by what is built in, in the caller's own sentences (SUMMARIZER=built-in).",
    ])
    expect(judged(withNobody)).toEqual([
      'ok: Messages are not written down (TRANSCRIBER=none).',
      'ok: Calls are not told in short (SUMMARIZER=none).',
    ])
  })

  it('need software where it is built in, and English', () => {
    expect(judged({ hasSpeechPrograms: false })[1]).toBe('hint: The speech software for that is not here yet.')
    expect(judged({ ...withKey, hasSpeechPrograms: false })).toHaveLength(2)
    const german = { ...desk, id: 'praxis', language: 'de-DE' }
    expect(judged({ businesses: [desk, german] })[1]).toMatch(
      /^warning: Messages to praxis .*English alone.* has de-DE/,
    )
    expect(judged({ ...withKey, businesses: [german] })).toHaveLength(2)
    const unwritten = { ...german, digests: { ...german.digests, transcribe: false } }
    expect(judged({ businesses: [unwritten] })).toHaveLength(2)
  })

  it('are answered only where they are written down', () => {
    const answering = { ...desk, answers: { ...desk.answers, enabled: true } }
    expect(judged({ businesses: [answering] })).toHaveLength(2)
    expect(judged({ ...withNobody, businesses: [answering] })[2]).toMatch(
      /^warning: desk is to answer .*never does: TRANSCRIBER=none, SUMMARIZER=none\.$/,
    )
    const unwritten = { ...answering, digests: { ...desk.digests, transcribe: false } }
    expect(judged({ businesses: [unwritten] })[2]).toMatch(/never does: digests\.transcribe is false\.$/)
  })

  it('go to models by their settings', () => {
    expect(digestModels(fine)).toEqual([])
    expect(digestModels(withKey)).toEqual([
      ['OPENAI_TRANSCRIPTION_MODEL', 'gpt-transcribe'],
      ['OPENAI_SUMMARY_MODEL', 'gpt-5.4-mini'],
    ])
  })
})

describe('hooks', () => {
  const hook = (name: string, secret: string) => ({
    ...{ name, secret, url: 'https://crm.example.com/parley', events: ['call.ended' as const] },
    ...{ private: false, enabled: true },
  })
  const judged = (environment: Readonly<Record<string, string>>, ...hooks: readonly ReturnType<typeof hook>[]) =>
    told(judgeHooks({ businesses: [{ id: 'desk', hooks: [...hooks] }], environment }))

  it('have their secrets', () => {
    const secret = 'a secret of this integrator'
    expect(judged({})).toEqual([])
    expect(judged({ TOOL_CRM: secret }, hook('crm', 'TOOL_CRM'))).toEqual(['ok: The hook has its secret.'])
    expect(judged({ TOOL_CRM: secret }, hook('crm', 'TOOL_CRM'), hook('mail', 'TOOL_MAIL'))).toEqual([
      'error: The hook mail of desk is signed with TOOL_MAIL, which is not set: from the next start on its calls are refused.',
    ])
    const [short, ...more] = judged({ TOOL_CRM: 'guessable' }, hook('crm', 'TOOL_CRM'))
    expect(short).toMatch(/^error: TOOL_CRM must hold a secret of 24 to 200 characters/)
    expect([short, ...more].join()).not.toContain('guessable')
    expect(more).toEqual([])
  })
})

describe('jobs', () => {
  const failed = (kind: string) => ({
    ...{ id: kind, kind, key: kind, business: 'desk', subject: {}, state: 'failed', attempts: 12, why: 'no answer' },
    ...{ wantedAt: '2026-11-27T09:00:00.000Z', nextAt: '2026-11-27T09:00:00.000Z', endedAt: null },
  })
  const judged = (asked: Parameters<typeof judgeJobs>[0]['failed']) =>
    told(judgeJobs({ source: 'API_TOKEN', failed: asked }))
  const listing = (kinds: readonly string[], next: string | null = null) =>
    judged(answer(200, { jobs: kinds.map(failed), next }))

  it('that have failed wait for a person', () => {
    expect(listing([])).toEqual(['ok: No job waits for a person: none has failed.'])
    expect(listing(['deliver'])).toEqual(['warning: 1 job has failed for good, and nobody tries again (1 deliver).'])
    expect(listing(['deliver', 'notify', 'deliver'], 'a-cursor')).toEqual([
      'warning: More than 3 jobs have failed for good, and nobody tries again (2 deliver, 1 notify).',
    ])
  })

  it('are told by a gateway that runs, answers and knows them', () => {
    expect(judged(undefined)).toEqual([expect.stringMatching(/^hint: .*told by a running Parley alone/)])
    expect(judged({ unreachable: 'nothing listens there' })).toEqual([])
    expect(judged(answer(401))).toEqual([expect.stringMatching(/^warning: .*refuses the token of API_TOKEN \(401\)/)])
    expect(judged(answer(503, { detail: 'The database is away.' }))).toEqual([
      'warning: Which jobs have failed is not told: Parley answers 503.',
    ])
    expect(judged(answer(200, { jobs: 'none' }))).toEqual([expect.stringMatching(/^warning: .*answers 200/)])
  })
})
