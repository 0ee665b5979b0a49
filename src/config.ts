import { join, resolve } from 'node:path'
import { defaultSettings } from './agent/settings.ts'
import { type BusinessDefaults, type Engine, engines, problemsOfBusiness } from './business.ts'
import { type Environment, readEnvFile, unreadNames } from './environment.ts'
import { digestSettings } from './kept-settings.ts'
import { limits } from './limits.ts'
import { busyWays } from './providers/local/engine.ts'
import { defaultRealtimeModel } from './providers/openai/models.ts'
import {
  audios,
  defaultOptions,
  eagernesses,
  noiseReductions,
  type RealtimeOptions,
  turnDetections,
} from './providers/openai/options.ts'
import { Reader } from './setting-reader.ts'
import { problemsOfDestination, sipSettings } from './sip-settings.ts'
import { mediaPorts } from './telephony/asterisk/media-ports.ts'
import { smtpSettings, twilioSettings } from './twilio-settings.ts'

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const databaseForm = 'postgresql://user:password@host:5432/name'

export type Config = ReturnType<typeof readConfig>

/** Settings, and the environment with `.env` beneath it: what the shell sets wins. */
export interface Loaded {
  readonly environment: Environment
  readonly config: Config
}

/** Of `.env` and the environment: every problem of both is reported at once. */
export function loadConfig(directory: string, environment: Environment = process.env): Loaded {
  return load(directory, environment, () => [])
}

/** For whoever goes by what the business has chosen, too: the problems of its file are reported with the others. */
export function loadConfigAndBusiness(directory: string, environment: Environment = process.env): Loaded {
  return load(directory, environment, loaded => problemsOfBusiness(businessDefaults(loaded)))
}

/** What a business has where it chooses nothing, and what it may not choose. */
export function businessDefaults({ environment, config }: Loaded): BusinessDefaults {
  const { business, engine, conversation } = config
  return { ...business, engine, conversation, environment }
}

function load(directory: string, environment: Environment, problemsBeyond: (loaded: Loaded) => string[]): Loaded {
  const { values, problems } = readEnvFile(directory)
  const whole = { ...values, ...environment }
  const read = new Reader(whole)
  for (const problem of problems) read.problem(problem)
  const config = settings(read)
  for (const problem of problemsBeyond({ environment: whole, config })) read.problem(problem)
  read.finish()
  return { environment: whole, config: Object.freeze(config) }
}

/** What is set there and read by nobody, in words. */
export function unreadVariables(directory: string, environment: Environment = process.env): string[] {
  return unreadNames(readEnvFile(directory), environment, [...variables().keys()])
}

/** Every variable that is read, with its default as one would write it; empty where it depends or there is none. */
export function variables(): ReadonlyMap<string, string> {
  const read = new Reader({})
  settings(read)
  return read.defaults
}

/** Of an environment alone; in words that name the variable and the remedy. */
export function readConfig(environment: Environment) {
  const read = new Reader(environment)
  const config = settings(read)
  read.finish()
  return Object.freeze(config)
}

function settings(read: Reader) {
  const rtp = rtpRange(read)
  const asterisk = read.text('ASTERISK', '')
  const stateDir = resolve(read.text('STATE_DIR', '.parley'))
  const sip = sipSettings(read, asterisk)
  const reachable = read.has('OPENAI_API_KEY') || read.has('OPENAI_BASE_URL')
  return {
    http: { host: read.text('HTTP_HOST', '127.0.0.1'), port: read.port('HTTP_PORT', 3_000) },
    stateDir,
    logLevel: read.choice('LOG_LEVEL', logLevels, 'info'),
    apiToken: read.secret('API_TOKEN', 16),
    maxCalls: read.optionalInteger('MAX_CALLS', 1, limits.media.lines),
    ...sip,
    rtp,
    externalAddress: read.address('EXTERNAL_ADDRESS'),
    localNetworks: read.networks('LOCAL_NETWORKS', ['127.0.0.0/8', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16']),
    ari: {
      port: read.port('ARI_PORT', 8_088),
      url: read.optionalUrl('ARI_URL', ['http:', 'https:']),
      username: read.text('ARI_USERNAME', 'parley'),
      password: read.secret('ARI_PASSWORD', 8),
      app: read.pattern('ARI_APP', 'parley', /^[A-Za-z0-9_-]{1,40}$/, 'letters, digits, dash and underscore'),
    },
    asterisk,
    asteriskFolder: read.path('ASTERISK_FOLDER'),
    asteriskCache: resolve(read.optional('ASTERISK_CACHE') ?? join(stateDir, 'asterisk')),
    business: {
      file: read.optional('BUSINESS_FILE'),
      name: read.text('BUSINESS_NAME', 'Parley'),
      phone: read.e164('BUSINESS_PHONE'),
      ownerPhone: read.e164('OWNER_PHONE'),
      nothingChosen: !['BUSINESS_FILE', 'BUSINESS_NAME', 'BUSINESS_PHONE', 'OWNER_PHONE'].some(name => read.has(name)),
      unusable: unusableEngines(reachable),
      problemsOfDestination: problemsOfDestination(sip, read.environment),
    },
    engine: engineSetting(read, reachable),
    local: {
      calls: read.integer('LOCAL_CALLS', 20, 1, limits.media.lines),
      busy: read.choice('LOCAL_BUSY', busyWays, 'sentence'),
    },
    databaseUrl: read.secretUrl('DATABASE_URL', ['postgresql:', 'postgres:'], databaseForm),
    speechCache: resolve(read.optional('SPEECH_CACHE') ?? join(stateDir, 'speech')),
    openai: openaiSettings(read),
    digests: digestSettings(read, reachable),
    tools: { allowPrivate: read.networks('TOOLS_ALLOW_PRIVATE', []) },
    conversation: conversationSettings(read),
    twilio: twilioSettings(read),
    smtp: smtpSettings(read),
    timing: {
      leaseMs: read.integer('LEASE_SECONDS', limits.call.leaseMs / 1_000, 2, 60) * 1_000,
      drainMs: read.integer('DRAIN_SECONDS', limits.call.drainMs / 1_000, 0, 600) * 1_000,
      silentCallerMs: read.integer('RTP_TIMEOUT_SECONDS', 60, 2, 300) * 1_000,
    },
  }
}

/** Why an engine cannot hold a conversation with these settings, whoever chooses it. */
function unusableEngines(reachable: boolean): Partial<Record<Engine, string>> {
  return reachable ? {} : { realtime: 'needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server that wants no key' }
}

/** Who has given a key or a server wants it used. */
function engineSetting(read: Reader, reachable: boolean): Engine {
  const engine = read.choice('AGENT_ENGINE', engines, reachable ? 'realtime' : 'local')
  const why = unusableEngines(reachable)[engine]
  if (why !== undefined) read.problem(`AGENT_ENGINE=${engine} ${why}.`)
  return engine
}

/** Of a business that chooses nothing else. */
function conversationSettings(read: Reader) {
  const { turn } = defaultSettings
  const most = limits.call.durationMs / 1_000
  const chosen = {
    interruptMs: read.integer('CONVERSATION_INTERRUPT_MS', turn.interruptMs, 100, 3_000),
    falseInterruptionMs: read.integer('CONVERSATION_FALSE_INTERRUPTION_MS', turn.falseInterruptionMs, 500, 10_000),
    fillAfterMs: read.integer('CONVERSATION_FILL_AFTER_MS', turn.fillAfterMs, 500, 10_000),
    noInputSeconds: read.integers('CONVERSATION_NO_INPUT_SECONDS', seconds(turn.noInputMs), 1, 600),
    maxSeconds: read.integer('CONVERSATION_MAX_SECONDS', turn.durationMs / 1_000, 5, most),
    warnSeconds: read.integer('CONVERSATION_WARN_SECONDS', turn.warnBeforeEndMs / 1_000, 1, 600),
  }
  if (chosen.warnSeconds >= chosen.maxSeconds) {
    read.problem('CONVERSATION_WARN_SECONDS must be less than CONVERSATION_MAX_SECONDS.')
  }
  return chosen
}

function seconds(ms: readonly number[]): number[] {
  return ms.map(each => each / 1_000)
}

function openaiSettings(read: Reader) {
  const realtimeModel = read.text('OPENAI_REALTIME_MODEL', defaultRealtimeModel)
  return {
    apiKey: read.secret('OPENAI_API_KEY'),
    // Whether a base address holds the version or not is a matter of taste among clients: both are understood.
    baseUrl: read
      .url('OPENAI_BASE_URL', ['http:', 'https:', 'ws:', 'wss:'], 'https://api.openai.com')
      .replace(/\/v1$/, ''),
    realtimeModel,
    options: { ...realtimeOptions(read), model: realtimeModel },
  }
}

function realtimeOptions(read: Reader): RealtimeOptions {
  const { voice, turnDetection, silenceMs, threshold, eagerness, noiseReduction, transcriptionModel } = defaultOptions
  const transcribedBy = read.text('OPENAI_REALTIME_TRANSCRIPTION_MODEL', transcriptionModel)
  return {
    ...defaultOptions,
    voice: read.text('OPENAI_REALTIME_VOICE', voice),
    turnDetection: read.choice('OPENAI_REALTIME_TURN_DETECTION', turnDetections, turnDetection),
    silenceMs: read.integer('OPENAI_REALTIME_SILENCE_MS', silenceMs, 200, 5_000),
    threshold: read.integer('OPENAI_REALTIME_THRESHOLD_PERCENT', threshold * 100, 0, 100) / 100,
    eagerness: read.choice('OPENAI_REALTIME_EAGERNESS', eagernesses, eagerness),
    noiseReduction: read.choice('OPENAI_REALTIME_NOISE_REDUCTION', noiseReductions, noiseReduction),
    transcriptionModel: transcribedBy === 'none' ? '' : transcribedBy,
    serverAnswers: read.choice('OPENAI_REALTIME_INTERRUPT_RESPONSE', ['false', 'true'], 'false') === 'true',
    audio: read.choice('OPENAI_REALTIME_AUDIO', audios, 'auto'),
  }
}

function rtpRange(read: Reader) {
  const rtp = {
    start: read.integer('RTP_PORT_START', 10_000, 1_024, 65_000),
    end: read.integer('RTP_PORT_END', 10_100, 1_028, 65_535),
  }
  if (read.allRight && rtp.end - rtp.start < 8) {
    read.problem(
      `RTP_PORT_END (${rtp.end}) must be at least 8 above RTP_PORT_START (${rtp.start}): a call takes 2 ports.`,
    )
  }
  if (read.allRight && !mediaPorts(rtp)) {
    read.problem(
      `RTP_PORT_START (${rtp.start}) and RTP_PORT_END (${rtp.end}) leave no room above or below them for as many ports ` +
        'between Asterisk and the gateway: choose a smaller range.',
    )
  }
  return rtp
}
