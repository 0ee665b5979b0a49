import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadConfig, loadConfigAndBusiness, readConfig } from '../src/config.ts'
import { GatewayError } from '../src/errors.ts'

function problemsOf(environment: Record<string, string>): string {
  try {
    readConfig(environment)
  } catch (error) {
    expect(error).toBeInstanceOf(GatewayError)
    return (error as GatewayError).message
  }
  return ''
}

describe('the configuration', () => {
  it('needs nothing', () => {
    const config = readConfig({})
    expect(config.sip).toEqual({ user: 'bianca', tcpPort: 5061, udpPort: 5060, allow: ['127.0.0.1/32'] })
    expect(config.rtp).toEqual({ start: 10_000, end: 10_100 })
    expect(config.http).toEqual({ host: '127.0.0.1', port: 3_000 })
    expect(Object.isFrozen(config)).toBe(true)
  })

  it('uses OpenAI when there is a key or a server, and nothing else decides', () => {
    expect(readConfig({}).engine).toBe('local')
    expect(readConfig({ OPENAI_API_KEY: 'sk-1' }).engine).toBe('realtime')
    expect(readConfig({ OPENAI_BASE_URL: 'ws://127.0.0.1:8090' }).engine).toBe('realtime')
    expect(readConfig({ OPENAI_API_KEY: 'sk-1', AGENT_ENGINE: 'scripted' }).engine).toBe('scripted')
    expect(problemsOf({ AGENT_ENGINE: 'realtime' })).toContain('OPENAI_API_KEY')
  })

  it('reads how realtime sessions are to be', () => {
    const { options } = readConfig({
      OPENAI_REALTIME_MODEL: 'm',
      OPENAI_REALTIME_VOICE: 'cedar',
      OPENAI_REALTIME_TURN_DETECTION: 'semantic_vad',
      OPENAI_REALTIME_THRESHOLD_PERCENT: '70',
      OPENAI_REALTIME_TRANSCRIPTION_MODEL: 'none',
      OPENAI_REALTIME_INTERRUPT_RESPONSE: 'true',
    }).openai
    expect(options).toMatchObject({
      model: 'm',
      voice: 'cedar',
      turnDetection: 'semantic_vad',
      threshold: 0.7,
      transcriptionModel: '',
      serverAnswers: true,
    })
    expect(problemsOf({ OPENAI_REALTIME_NOISE_REDUCTION: 'much' })).toContain('far_field, near_field, off')
  })

  it('reports every problem at once, each with its variable', () => {
    const message = problemsOf({
      HTTP_PORT: '99999',
      SIP_USER: 'bi anca',
      RTP_PORT_START: '10000',
      RTP_PORT_END: '10002',
      EXTERNAL_ADDRESS: 'example.org',
      LOCAL_NETWORKS: '10.0.0.0/33',
      AGENT_ENGINE: 'realtime',
      OWNER_PHONE: '555',
      ARI_URL: 'ftp://pbx',
    })
    for (const name of [
      'HTTP_PORT',
      'SIP_USER',
      'RTP_PORT_END',
      'EXTERNAL_ADDRESS',
      'LOCAL_NETWORKS',
      'AGENT_ENGINE',
      'OWNER_PHONE',
      'ARI_URL',
    ]) {
      expect(message).toContain(name)
    }
    expect(message).toContain('8 problem(s)')
  })

  it('reports those of .env, of the values and of the business in one message', () => {
    const folder = mkdtempSync(join(tmpdir(), 'parley-config-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'business.yaml')
    const destinations = '[{ name: desk, address: "2000@desk" }]'
    writeFileSync(file, `nome: Desk\nengine: realtime\ndestinations: ${destinations}\n`)
    writeFileSync(join(folder, '.env'), `MAX_CALLS=many\nHTTP_PORT\nBUSINESS_FILE=${file}\n`)
    const message = (work: () => unknown) => {
      try {
        work()
      } catch (error) {
        return (error as Error).message.split('\n')
      }
      return []
    }
    const [first, ...problems] = message(() => loadConfigAndBusiness(folder, { SIP_USER: 'bi anca' }))
    expect(first).toBe('The configuration has 7 problem(s):')
    expect(problems).toEqual([
      '  - .env, line 2: not of the form NAME=value; a comment begins with #.',
      expect.stringMatching(/^ {2}- SIP_USER may hold only/),
      expect.stringMatching(/^ {2}- MAX_CALLS must be .*"many"/),
      expect.stringContaining(`  - ${file}: name: `),
      expect.stringMatching(/business\.yaml: the file: .*nome/),
      expect.stringMatching(/business\.yaml: engine: realtime needs OPENAI_API_KEY, or OPENAI_BASE_URL/),
      expect.stringMatching(/business\.yaml: destinations\.0\.address: /),
    ])
    // Who does not go by the business is not kept from working by its file.
    expect(message(() => loadConfig(folder, { SIP_USER: 'bi anca' }))[0]).toContain('has 3 problem(s)')
    writeFileSync(join(folder, '.env'), 'MAX_CALLS=3\n')
    expect(loadConfig(folder, { SIP_USER: 'anna' })).toMatchObject({
      environment: { MAX_CALLS: '3', SIP_USER: 'anna' },
      config: { maxCalls: 3, sip: { user: 'anna' } },
    })
  })

  it('never repeats a secret', () => {
    const message = problemsOf({ API_TOKEN: 'tiny', ARI_PASSWORD: 'abc' })
    expect(message).toContain('API_TOKEN')
    expect(message).not.toContain('tiny')
    expect(message).not.toContain('abc')
  })

  it('lets nobody in as the trunk by default when Asterisk is not its own', () => {
    expect(readConfig({ ASTERISK: 'external' }).sip.allow).toEqual([])
  })

  it('takes "none" for an empty list', () => {
    expect(readConfig({ SIP_ALLOW: 'none' }).sip.allow).toEqual([])
  })

  it('tells how the conversation goes, and refuses what cannot be', () => {
    const { conversation } = readConfig({ CONVERSATION_NO_INPUT_SECONDS: '5, 7', CONVERSATION_MAX_SECONDS: '90' })
    expect(conversation).toMatchObject({ interruptMs: 500, noInputSeconds: [5, 7], maxSeconds: 90, warnSeconds: 60 })
    const wrong = {
      CONVERSATION_NO_INPUT_SECONDS: '5,,7',
      CONVERSATION_MAX_SECONDS: '30',
      CONVERSATION_INTERRUPT_MS: '1',
    }
    expect(() => readConfig(wrong)).toThrow(/CONVERSATION_NO_INPUT_SECONDS must list .* such as 8,8,8; it is "5,,7"/)
    expect(() => readConfig(wrong)).toThrow(/CONVERSATION_WARN_SECONDS must be less/)
    expect(() => readConfig(wrong)).toThrow(/CONVERSATION_INTERRUPT_MS must be a whole number from 100/)
  })
})
