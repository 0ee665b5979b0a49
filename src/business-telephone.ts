import { z } from 'zod'
import { e164 } from './business-destinations.ts'
import { limits } from './limits.ts'

const line = z.string().max(300)
/** As Twilio names its voices, https://www.twilio.com/docs/voice/twiml/say/text-speech */
const voice = z.string().regex(/^[A-Za-z]+(\.[A-Za-z0-9-]+)?$/, 'must be a voice such as Polly.Joanna')

/** Names that the way to the agent uses itself, or the way to somebody else. */
const ownContextNames = [
  'business',
  'callsid',
  'token',
  'record',
  'transport',
  'region',
  'edge',
  'called',
  'again',
  'test',
  'destination',
  'extension',
  'attempt',
  'beganms',
]

/** A parameter of a SIP address and, behind `X-`, the name of a header. */
export const contextName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{0,39}$/, 'may hold only letters, digits and dashes')
  .refine(name => !ownContextNames.includes(name.toLowerCase()), {
    message: `must not be a name with a meaning of its own (${ownContextNames.join(', ')})`,
  })

const seconds = (least: number, most: number) => z.number().int().min(least).max(most)

/** What becomes of a caller whom the agent does not have: another telephone, a recorded message, or a word and the end. */
const instead = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('forward'), number: e164 }),
  z.strictObject({ kind: z.literal('voicemail') }),
  z.strictObject({ kind: z.literal('excuse') }),
])

/** How calls come in by the carrier, before the agent has them and when it cannot. */
export const telephone = z
  .strictObject({
    /** `record`: no agent; a greeting, and the caller's words are recorded. */
    reception: z.enum(['agent', 'record']).default('agent'),
    /** Spoken by the carrier before it connects; empty: nothing. */
    welcome: line.default(''),
    /** Of what the carrier speaks. */
    voice: voice.default('Polly.Joanna'),
    /** The caller hears ringing until the agent answers; a welcome answers before. */
    answerOnBridge: z.boolean().default(true),
    ringSeconds: seconds(5, 120).default(20),
    maxSeconds: seconds(60, limits.call.durationMs / 1_000).default(limits.call.durationMs / 1_000),
    /** What of the webhook's query goes to the agent and into the record. */
    context: z.array(contextName).max(limits.twilio.contextNames).default(['patientId']),
    /** When the agent is not reached. */
    fallback: instead.default({ kind: 'voicemail' }),
    /** Outside `hours`; `agent`: the agent has them at any time. */
    closed: z.union([z.literal('agent'), instead]).default('agent'),
    excuse: line.default('We cannot take your call at the moment. Please call again later.'),
    recordGreeting: line.default('Please leave a message after the tone.'),
    recordSeconds: seconds(5, limits.twilio.recording.seconds).default(30),
  })
  .prefault({})

/** Text messages to and from customers. */
export const texts = z
  .strictObject({
    enabled: z.boolean().default(true),
    /**
     * Who answers STOP, START and HELP by SMS: Twilio does so by itself for all numbers but short codes, unless its support has
     * turned that off: https://help.twilio.com/articles/223134027. By WhatsApp Parley does, whatever stands here.
     */
    keywords: z.enum(['carrier', 'parley']).default('carrier'),
    /** Answer to HELP; left out: the business's name, and how to get no more messages. */
    help: z.string().min(1).max(300).optional(),
    stopped: z.string().min(1).max(300).default('You will get no more messages. Write START to get them again.'),
    started: z.string().min(1).max(300).default('You get messages again. Write STOP to end them.'),
    whatsappNumber: e164.optional(),
    /** An approved template for customers who have not written for a day; its variable 1 is the text. */
    whatsappTemplate: z
      .string()
      .regex(/^HX[0-9a-fA-F]{32}$/, 'must be a ContentSid: HX and 32 hexadecimal digits')
      .optional(),
  })
  .prefault({})

const timeOfDay = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'must be a time of day such as 09:00')

/** Calls that are made for the business. */
export const outbound = z
  .strictObject({
    enabled: z.boolean().default(false),
    /** Whom the callee sees calling; left out: the first of `numbers`. */
    callerId: e164.optional(),
    /** How numbers begin that may be called: whoever can ask for a call must not be able to make one at any price. */
    to: z
      .array(
        z
          .string()
          .regex(/^\+[1-9][0-9]{0,14}$/, 'must be how numbers begin in international form, such as +1415 or +44'),
      )
      .max(limits.twilio.outbound.prefixes)
      .default([]),
    /** Asked for within a day. */
    perDay: seconds(1, 100_000).default(200),
    /** In the callee's own time zone, as far as their number tells it, else in the business's; every day of these. */
    hours: z.strictObject({ from: timeOfDay, to: timeOfDay }).default({ from: '09:00', to: '20:00' }),
    days: z.enum(['everyDay', 'weekdays']).default('weekdays'),
    attempts: seconds(1, limits.twilio.outbound.attempts).default(3),
    retryMinutes: seconds(1, 1_440).default(30),
    ringSeconds: seconds(5, 120).default(30),
    /** The agent's first words to whoever answers; left out: the greeting of the business. */
    greeting: z.string().min(1).max(1_000).optional(),
    /** For an answering machine, after its tone; left out: nothing is said there. */
    voicemail: z.string().min(1).max(500).optional(),
  })
  .refine(({ hours }) => hours.from < hours.to, { path: ['hours'], message: 'must begin before they end' })
  .refine(({ enabled, to }) => !enabled || to.length > 0, {
    path: ['to'],
    message: 'must say how the numbers begin that may be called, such as ["+1415", "+44"]',
  })
  .prefault({})

export function mayCall({ to }: z.output<typeof outbound>, number: string): boolean {
  return to.some(beginning => number.startsWith(beginning))
}
