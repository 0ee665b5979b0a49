import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { z } from 'zod'
import {
  destinations,
  e164,
  type ProblemsOfDestination,
  problemsOfDestinations,
  slug,
  strayTransfers,
  transfers,
} from './business-destinations.ts'
import { answers, digests, hooks, recording, unfitSecrets, voicemail } from './business-kept.ts'
import { businessLookup } from './business-lookup.ts'
import { outbound, telephone, texts } from './business-telephone.ts'
import { businessTools, missingSecrets } from './business-tools.ts'
import { NotYaml, readYaml } from './business-yaml.ts'
import { asError, GatewayError } from './errors.ts'
import { limits } from './limits.ts'

/** What can hold the conversation in this version; any other name is refused in words. */
export const engines = ['realtime', 'local', 'scripted'] as const

export type Engine = (typeof engines)[number]

/** As people are told them. */
export const engineTitles: Readonly<Record<Engine, string>> = {
  realtime: 'realtime',
  local: 'local (the built-in demo engine)',
  scripted: 'scripted',
}

const phrase = z.string().min(1).max(300)
const timeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time of day such as 09:00')
const openFromTo = z.array(z.strictObject({ from: timeOfDay, to: timeOfDay }))
const timeZone = z.string().refine(isTimeZone, 'must be a time zone such as Europe/Zurich')

/** Of the realtime engine, where it differs from what the gateway is set to. */
const realtimeChoice = z
  .strictObject({
    model: z.string().min(1).max(100),
    turnDetection: z.enum(['server_vad', 'semantic_vad']),
    silenceMs: z.number().int().min(200).max(5_000),
    threshold: z.number().min(0).max(1),
    eagerness: z.enum(['auto', 'low', 'medium', 'high']),
    noiseReduction: z.enum(['far_field', 'near_field', 'off']),
    transcriptionModel: z.string().max(100),
    serverAnswers: z.boolean(),
  })
  .partial()

/** Of whose turn it is and how long a call may last, where it differs from what the gateway is set to. */
const conversationChoice = z
  .strictObject({
    interruptMs: z.number().int().min(100).max(3_000),
    falseInterruptionMs: z.number().int().min(500).max(10_000),
    fillAfterMs: z.number().int().min(500).max(10_000),
    noInputSeconds: z.array(z.number().min(1).max(600)).min(1).max(10),
    maxSeconds: z
      .number()
      .min(5)
      .max(limits.call.durationMs / 1_000),
    warnSeconds: z.number().min(1).max(600),
    phrases: z
      .strictObject({
        back: phrase,
        stillThere: phrase,
        goodbye: phrase,
        endingSoon: phrase,
        timeOver: phrase,
        trouble: phrase,
        handingOver: phrase,
        filler: phrase,
        fillerAgain: phrase,
        notReached: phrase,
        broughtBack: phrase,
        returned: phrase,
      })
      .partial(),
  })
  .partial()

const businessSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/, 'may hold only small letters, digits and dashes')
    .optional(),
  /** Calls for one that is not are refused. */
  active: z.boolean().default(true),
  name: z.string().min(1).max(200),
  numbers: z.array(e164).max(100).default([]),
  greeting: z.string().min(1).max(1_000).optional(),
  instructions: z.string().max(20_000).default(''),
  language: z
    .string()
    .regex(/^[a-z]{2}(-[A-Z]{2})?$/, 'must be a language such as en or en-US')
    .default('en-US'),
  voice: z.string().max(100).default(''),
  engine: z.enum(engines).optional(),
  realtime: realtimeChoice.default({}),
  conversation: conversationChoice.default({}),
  timeZone: timeZone.default('UTC'),
  hours: z
    .strictObject({
      monday: openFromTo,
      tuesday: openFromTo,
      wednesday: openFromTo,
      thursday: openFromTo,
      friday: openFromTo,
      saturday: openFromTo,
      sunday: openFromTo,
    })
    .partial()
    .default({}),
  services: z
    .array(
      z.strictObject({
        name: z.string().min(1).max(200),
        minutes: z.number().int().min(5).max(480),
        price: z.string().min(1).max(100).optional(),
      }),
    )
    .max(100)
    .default([]),
  address: z.string().min(1).max(300).optional(),
  destinations: destinations.default([]),
  transfers: transfers.default({}),
  telephone,
  texts,
  outbound,
  tools: businessTools,
  lookup: businessLookup.optional(),
  notify: z
    .strictObject({ phone: e164.optional(), email: z.email().optional(), webhook: z.url().optional() })
    .default({}),
  recording,
  voicemail,
  digests,
  answers,
  hooks,
})

/** What a business chooses. Read from BUSINESS_FILE; what the file leaves out has a default, the environment fills the rest. */
export type Business = Readonly<Omit<z.infer<typeof businessSchema>, 'id' | 'greeting' | 'engine'>> & {
  readonly id: string
  readonly greeting: string
  readonly engine: Engine
}

export interface BusinessDefaults {
  readonly file: string | undefined
  readonly name: string
  readonly phone: string | undefined
  readonly ownerPhone: string | undefined
  readonly engine: Engine
  /** Where the secrets stand that tools name; left out: it is not looked whether they do. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /** What the gateway is set to, for what the business leaves open. */
  readonly conversation?: Business['conversation']
  /** Engines that cannot be chosen here, and why, as the end of a sentence about them. */
  readonly unusable?: Readonly<Partial<Record<Engine, string>>>
  /** What keeps a destination from being dialled. */
  readonly problemsOfDestination?: ProblemsOfDestination
}

/** As it was written, whatever is left out of it or filled in later. */
export type Choice = Readonly<Record<string, unknown>>

/** What BUSINESS_FILE chooses, or the environment. */
export interface ChosenByFile {
  readonly choice: Choice
  readonly business: Business
  /** Tells it from what was chosen there before. */
  readonly hash: string
}

/**
 * Looks whenever it is asked: at first and after a change it tells what is chosen now, else nothing. What has become wrong
 * it throws, once, in words.
 */
export function watchBusinessFile(defaults: BusinessDefaults): () => ChosenByFile | undefined {
  let stamp: string | undefined
  return () => {
    const now = stampOf(defaults.file)
    if (now === stamp) return undefined
    stamp = now
    return chosenByFile(defaults)
  }
}

/** The business as BUSINESS_FILE or the environment has it now. */
export function readBusiness(defaults: BusinessDefaults): Business {
  return chosenByFile(defaults).business
}

/** All that is wrong with it, each in words that say where. */
export function problemsOfBusiness(defaults: BusinessDefaults): string[] {
  const read = readChoice(defaults)
  const judged = 'problems' in read ? read : judgeChoice(read.choice, defaults)
  return 'problems' in judged ? judged.problems.map(problem => `${sourceOf(defaults)}: ${problem}`) : []
}

function chosenByFile(defaults: BusinessDefaults): ChosenByFile {
  const read = readChoice(defaults)
  const judged = 'problems' in read ? read : judgeChoice(read.choice, defaults)
  if ('choice' in read && 'business' in judged) {
    return { choice: read.choice as Choice, hash: read.hash, business: judged.business }
  }
  const { problems } = judged as Wrong
  const listed = problems.map(problem => `  - ${problem}`).join('\n')
  const words = `${sourceOf(defaults)}: the business has ${problems.length} problem(s):\n${listed}`
  throw new GatewayError('CONFIG_INVALID', words)
}

function sourceOf({ file }: BusinessDefaults): string {
  return file ?? 'BUSINESS_NAME'
}

interface Wrong {
  readonly problems: readonly string[]
}

function readChoice({ file, name }: BusinessDefaults): { readonly choice: unknown; readonly hash: string } | Wrong {
  try {
    const text = file === undefined ? JSON.stringify({ name }) : readFileSync(file, 'utf8')
    return { choice: readYaml(text), hash: createHash('sha256').update(text).digest('hex') }
  } catch (error) {
    const words = asError(error).message
    return {
      problems: [error instanceof NotYaml ? `not valid YAML: ${words}` : `BUSINESS_FILE cannot be read: ${words}`],
    }
  }
}

/** The business that a choice comes to here, or all that is wrong with it. */
export function judgeChoice(choice: unknown, defaults: BusinessDefaults): { readonly business: Business } | Wrong {
  const result = businessSchema.safeParse(choice)
  const impossible = [
    ...barredEngine(choice, defaults),
    ...problemsOfDestinations(choice, defaults.problemsOfDestination),
    ...(result.success ? [...unstorable(result.data), ...contradictions(result.data, defaults)] : []),
  ]
  if (result.success && impossible.length === 0) return { business: complete(result.data, defaults) }
  const wrong = result.error?.issues.map(issue => `${issue.path.join('.') || 'the file'}: ${issue.message}`) ?? []
  return { problems: [...wrong, ...impossible] }
}

/** Looked for in a file that has other problems, too. */
function barredEngine(chosen: unknown, { unusable }: BusinessDefaults): string[] {
  const { engine } = Object(chosen) as { engine?: unknown }
  const why = unusable?.[engine as Engine]
  return why === undefined ? [] : [`engine: ${engine} ${why}`]
}

/** No database takes a zero character or half of a pair, wherever it stands: then none of the business's rows could be told. */
function unstorable(chosen: unknown, place = ''): string[] {
  if (typeof chosen === 'string') {
    const storable = !chosen.includes('\0') && chosen.isWellFormed()
    return storable ? [] : [`${place || 'the file'}: holds characters that are none`]
  }
  if (typeof chosen !== 'object' || chosen === null) return []
  return Object.entries(chosen).flatMap(([key, value]) => [
    ...unstorable(key, place),
    ...unstorable(value, place === '' ? key : `${place}.${key}`),
  ])
}

function contradictions(chosen: z.infer<typeof businessSchema>, defaults: BusinessDefaults): string[] {
  const { tools, lookup, conversation } = chosen
  const requests = lookup ? [...tools, lookup] : tools
  const { environment } = defaults
  const unsigned = environment
    ? chosen.hooks.map(({ secret }) => secret).filter(name => !environment[name]?.trim())
    : []
  const missing = environment ? [...new Set([...missingSecrets(requests, environment), ...unsigned])] : []
  const { maxSeconds, warnSeconds } = { ...defaults.conversation, ...conversation }
  const late = maxSeconds !== undefined && warnSeconds !== undefined && warnSeconds >= maxSeconds
  return [
    ...strayTransfers(chosen),
    ...(missing.length > 0 ? [`its requests name what the environment does not have: ${missing.join(', ')}`] : []),
    ...(environment ? unfitSecrets(chosen.hooks, environment) : []),
    ...(late
      ? [`the warning (conversation.warnSeconds, ${warnSeconds}) must come within the call (maxSeconds, ${maxSeconds})`]
      : []),
  ]
}

function complete(data: z.infer<typeof businessSchema>, defaults: BusinessDefaults): Business {
  return {
    ...data,
    id: data.id ?? (slug(data.name).slice(0, 40) || 'business'),
    numbers: data.numbers.length === 0 && defaults.phone ? [defaults.phone] : data.numbers,
    greeting: data.greeting ?? `Hello, this is ${data.name}. How can I help you?`,
    notify: { ...(defaults.ownerPhone === undefined ? {} : { phone: defaults.ownerPhone }), ...data.notify },
    engine: data.engine ?? defaults.engine,
    conversation: { ...defaults.conversation, ...data.conversation },
  }
}

/** A file that cannot be looked at is one that has changed: reading it tells what is wrong. */
function stampOf(file: string | undefined): string {
  if (file === undefined) return ''
  try {
    const { mtimeMs, size, ino } = statSync(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return 'missing'
  }
}

/**
 * Of a place, or UTC: the database means something else than the program by +02:00 (POSIX counts westwards) and by
 * abbreviations such as BST.
 */
function isTimeZone(name: string): boolean {
  if (name !== 'UTC' && !/^[A-Z][A-Za-z_]+\/[A-Z]/i.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
