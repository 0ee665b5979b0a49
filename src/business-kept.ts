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

export const hooks = z
  .array(
    z.strictObject({
      name: z.string().regex(/^[a-z0-9-]{1,40}$/, 'may hold only small letters, digits and dashes'),
      url: z.url({ protocol: /^https?$/ }).max(500),
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
