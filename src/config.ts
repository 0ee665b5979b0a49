import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { defaultSettings } from './agent/settings.ts'
import { type BusinessDefaults, type Engine, engines, problemsOfBusiness } from './business.ts'
import { type Environment, readEnvFile, unreadNames } from './environment.ts'
import { GatewayError } from './errors.ts'
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
import { Secret } from './secret.ts'
import { type Destination, parseDestination } from './telephony/asterisk/destination.ts'
import { mediaPorts } from './telephony/asterisk/media-ports.ts'

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

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
  const reachable = read.has('OPENAI_API_KEY') || read.has('OPENAI_BASE_URL')
  return {
    http: { host: read.text('HTTP_HOST', '127.0.0.1'), port: read.port('HTTP_PORT', 3_000) },
    stateDir,
    logLevel: read.choice('LOG_LEVEL', logLevels, 'info'),
    apiToken: read.secret('API_TOKEN', 16),
    maxCalls: read.optionalInteger('MAX_CALLS', 1, limits.media.lines),
    sip: {
      user: read.pattern(
        'SIP_USER',
        'bianca',
        /^(?![aehiostT]$)[A-Za-z0-9.][A-Za-z0-9_.-]{0,63}$/,
        'letters, digits, dot, dash and underscore, and is no single letter of a, e, h, i, o, s, t, T',
      ),
      tcpPort: read.port('SIP_TCP_PORT', 5_061),
      udpPort: read.port('SIP_UDP_PORT', 5_060),
      allow: read.networks('SIP_ALLOW', asterisk === 'external' ? [] : ['127.0.0.1/32']),
    },
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
    asteriskCache: resolve(read.optional('ASTERISK_CACHE') ?? join(stateDir, 'asterisk')),
    fallbackDestination: read.destination('FALLBACK_DESTINATION'),
    business: {
      file: read.optional('BUSINESS_FILE'),
      name: read.text('BUSINESS_NAME', 'Parley'),
      phone: read.e164('BUSINESS_PHONE'),
      ownerPhone: read.e164('OWNER_PHONE'),
      nothingChosen: !['BUSINESS_FILE', 'BUSINESS_NAME', 'BUSINESS_PHONE', 'OWNER_PHONE'].some(name => read.has(name)),
      unusable: unusableEngines(reachable),
      problemWithAddress,
    },
    engine: engineSetting(read, reachable),
    local: {
      calls: read.integer('LOCAL_CALLS', 20, 1, limits.media.lines),
      busy: read.choice('LOCAL_BUSY', busyWays, 'sentence'),
    },
    databaseUrl: read.database('DATABASE_URL'),
    speechCache: resolve(read.optional('SPEECH_CACHE') ?? join(stateDir, 'speech')),
    openai: openaiSettings(read),
    tools: { allowPrivate: read.networks('TOOLS_ALLOW_PRIVATE', []) },
    conversation: conversationSettings(read),
    twilio: twilioSettings(read),
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

function problemWithAddress(address: string): string | undefined {
  const parsed = parseDestination(address)
  return 'problem' in parsed ? parsed.problem : undefined
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

function twilioSettings(read: Reader) {
  return {
    accountSid: read.optional('TWILIO_ACCOUNT_SID'),
    authToken: read.secret('TWILIO_AUTH_TOKEN'),
    apiKey: read.optional('TWILIO_API_KEY'),
    apiSecret: read.secret('TWILIO_API_SECRET'),
    phoneNumber: read.e164('TWILIO_PHONE_NUMBER'),
    baseUrl: read.url('TWILIO_BASE_URL', ['http:', 'https:'], 'https://api.twilio.com'),
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

class Reader {
  readonly #environment: Environment
  readonly #problems: string[] = []
  /** Of every variable that was asked for. */
  readonly defaults = new Map<string, string>()

  constructor(environment: Environment) {
    this.#environment = environment
  }

  /** Nothing wrong so far. */
  get allRight(): boolean {
    return this.#problems.length === 0
  }

  has(name: string): boolean {
    return this.optional(name) !== undefined
  }

  problem(text: string): void {
    this.#problems.push(text)
  }

  optional(name: string, otherwise = ''): string | undefined {
    if (!this.defaults.get(name)) this.defaults.set(name, otherwise)
    return this.#environment[name]?.trim() || undefined
  }

  text(name: string, otherwise: string): string {
    return this.optional(name, otherwise) ?? otherwise
  }

  pattern(name: string, otherwise: string, form: RegExp, allowed: string): string {
    const value = this.text(name, otherwise)
    if (!form.test(value)) this.problem(`${name} may hold only ${allowed}; it is "${value}".`)
    return value
  }

  integer(name: string, otherwise: number, least: number, most: number): number {
    const text = this.optional(name, String(otherwise))
    if (text === undefined) return otherwise
    const value = Number(text)
    if (Number.isInteger(value) && value >= least && value <= most) return value
    this.problem(`${name} must be a whole number from ${least} to ${most}; it is "${text}".`)
    return otherwise
  }

  /** A comma-separated list of one to ten. */
  integers(name: string, otherwise: readonly number[], least: number, most: number): number[] {
    const text = this.optional(name, otherwise.join(','))
    if (text === undefined) return [...otherwise]
    const values = text.split(',').map(Number)
    const right = values.length <= 10 && values.every(each => Number.isInteger(each) && each >= least && each <= most)
    if (right) return values
    this.problem(`${name} must list up to ten whole numbers from ${least} to ${most}, such as 8,8,8; it is "${text}".`)
    return [...otherwise]
  }

  optionalInteger(name: string, least: number, most: number): number | undefined {
    return this.has(name) ? this.integer(name, least, least, most) : undefined
  }

  port(name: string, otherwise: number): number {
    return this.integer(name, otherwise, 1, 65_535)
  }

  choice<T extends string>(name: string, choices: readonly T[], otherwise: T): T {
    const text = this.text(name, otherwise)
    const found = choices.find(choice => choice === text)
    if (found === undefined) this.problem(`${name} must be one of ${choices.join(', ')}; it is "${text}".`)
    return found ?? otherwise
  }

  /** The value itself never appears in a message. */
  secret(name: string, leastLength = 1): Secret | undefined {
    const value = this.optional(name)
    if (value === undefined) return undefined
    if (value.length < leastLength) {
      this.problem(
        `${name} is too short: use at least ${leastLength} characters, or leave it out to have one generated.`,
      )
    }
    return new Secret(value)
  }

  url(name: string, protocols: readonly string[], otherwise: string): string {
    const text = this.text(name, otherwise)
    return this.optionalUrl(name, protocols) ?? text
  }

  optionalUrl(name: string, protocols: readonly string[]): string | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text.replace(/\/+$/, '')
    this.problem(
      `${name} must be an address that begins with ${protocols.map(each => `${each}//`).join(' or ')}; it is "${text}".`,
    )
    return undefined
  }

  /** It may hold a password, so no message shows it. */
  database(name: string): Secret | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    const form = 'postgresql://user:password@host:5432/name'
    if (!/^postgres(ql)?:$/.test(URL.canParse(text) ? new URL(text).protocol : '')) {
      this.problem(`${name} must be the address of a PostgreSQL database, such as ${form}.`)
    }
    return new Secret(text)
  }

  address(name: string): string | undefined {
    const text = this.optional(name)
    if (text !== undefined && isIP(text) !== 4)
      this.problem(`${name} must be an IPv4 address such as 203.0.113.7; it is "${text}".`)
    return text
  }

  destination(name: string): Destination | undefined {
    const text = this.optional(name)
    if (text === undefined) return undefined
    const destination = parseDestination(text)
    if (!('problem' in destination)) return destination
    this.problem(`${name}: ${destination.problem}.`)
    return undefined
  }

  e164(name: string): string | undefined {
    const text = this.optional(name)
    if (text !== undefined && !/^\+[1-9][0-9]{6,14}$/.test(text)) {
      this.problem(`${name} must be a telephone number in international form, such as +15551234567.`)
    }
    return text
  }

  /** A comma-separated list; `none` is the empty one. */
  networks(name: string, otherwise: readonly string[]): readonly string[] {
    const text = this.optional(name, otherwise.join(','))
    if (text === undefined) return otherwise
    if (text === 'none') return []
    const networks = text.split(',').map(each => each.trim())
    for (const network of networks) {
      const [address = '', bits = '32', ...rest] = network.split('/')
      if (isIP(address) === 4 && rest.length === 0 && /^([0-9]|[12][0-9]|3[0-2])$/.test(bits)) continue
      this.problem(`${name} must list networks such as 203.0.113.0/24, or be "none"; "${network}" is none.`)
    }
    return networks
  }

  finish(): void {
    if (this.#problems.length === 0) return
    const listed = this.#problems.map(problem => `  - ${problem}`).join('\n')
    throw new GatewayError('CONFIG_INVALID', `The configuration has ${this.#problems.length} problem(s):\n${listed}`)
  }
}
