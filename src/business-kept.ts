import { z } from 'zod'
import { secretName } from './business-tools.ts'
import { limits } from './limits.ts'

const whole = (least: number, most: number) => z.number().int().min(least).max(most)
const days = whole(1, limits.recording.retentionDays)
const words = z.string().min(1).max(limits.recording.announcementChars)

/** Of calls with the agent: nobody is recorded who has not been told. */
export const recording = z
  .strictObject({
    enabled: z.boolean().default(false),
    /** Said before anything is recorded. */
    announcement: words.default('This call is recorded.'),
    /** Until it is deleted. */
    days: days.default(90),
  })
  .prefault({})

/** What a caller says after a tone. */
export const voicemail = z
  .strictObject({
    greeting: words.default('Please leave a message after the tone. Press the hash key when you have finished.'),
    thanks: words.default('Thank you. Goodbye.'),
    maxSeconds: whole(5, limits.recording.voicemail.seconds).default(120),
    /** Ends it. */
    silenceSeconds: whole(2, 30).default(5),
    key: z.enum(['#', '*']).default('#'),
    /** An answered caller whom no engine serves is asked for a message here; else the dialplan's fallback has them. */
    onFailure: z.boolean().default(true),
    days: days.default(365),
  })
  .prefault({})

/** What is made of calls and messages when they are over. */
export const digests = z
  .strictObject({
    transcribe: z.boolean().default(true),
    summarize: z.boolean().default(true),
  })
  .prefault({})

/** To callers whom nobody but a recording has heard (`telephone.reception: record`). */
export const answers = z
  .strictObject({
    enabled: z.boolean().default(false),
    /** The first by which they can be written to. */
    by: z
      .array(z.enum(['whatsapp', 'sms']))
      .min(1)
      .max(2)
      .default(['whatsapp', 'sms']),
    /** What is to be found out of what they said, and how they are to be answered. */
    instructions: z.string().max(4_000).default(''),
  })
  .prefault({})

/** What integrators can be told of, by the names that they hear. */
export const hookEvents = [
  'call.started',
  'call.ended',
  'call.summarized',
  'message.taken',
  'appointment.requested',
  'voicemail.left',
  'voicemail.transcribed',
  'recording.ready',
  'transfer.connected',
  'transfer.failed',
] as const

export type HookEvent = (typeof hookEvents)[number]

function holdsPassword(url: string): boolean {
  const { username, password } = URL.parse(url) ?? {}
  return Boolean(username || password)
}

const PREFIX = 'whsec_'

/**
 * What deliveries are signed with; nothing for what is no secret. While one is changed there are two, by a comma, and either
 * is believed. With the prefix they are base64, else their own bytes.
 */
export function hookKeys(text = ''): Buffer[] | undefined {
  const { least, most } = limits.hooks.secretChars
  const secrets = text.split(',').map(each => each.trim())
  const areSecrets = secrets.every(
    each =>
      each.length >= least &&
      each.length <= most &&
      (!each.startsWith(PREFIX) || base64.test(each.slice(PREFIX.length))),
  )
  if (!areSecrets) return undefined
  return secrets.map(each =>
    each.startsWith(PREFIX) ? Buffer.from(each.slice(PREFIX.length), 'base64') : Buffer.from(each),
  )
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/

/** Of variables that hold something, and no secret. */
export function unfitSecrets(
  hooks: readonly { readonly secret: string }[],
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const { least, most } = limits.hooks.secretChars
  const unfit = hooks
    .map(({ secret }) => secret)
    .filter(name => environment[name]?.trim() && !hookKeys(environment[name]))
  return [...new Set(unfit)].map(
    name =>
      `${name} must hold a secret of ${least} to ${most} characters, in base64 behind ${PREFIX}; two, by a comma, while it is changed`,
  )
}

export const hooks = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'may hold only small letters, digits and dashes'),
      url: z
        .url({ protocol: /^https?$/, error: 'must be an address such as https://crm.example.com/parley' })
        .max(500)
        .refine(url => !holdsPassword(url), 'holds a password: deliveries are signed, and an address is no secret'),
      events: z
        .array(z.enum(hookEvents))
        .min(1)
        .default([...hookEvents]),
      /** The variable that holds what deliveries are signed with. */
      secret: z.string().regex(secretName, 'must be the name of a variable that begins with TOOL_'),
      /** Also what callers said, and their numbers. */
      private: z.boolean().default(false),
      enabled: z.boolean().default(true),
    }),
  )
  .max(limits.hooks.perBusiness)
  .refine(all => new Set(all.map(({ name }) => name)).size === all.length, 'must have different names')
  .default([])
