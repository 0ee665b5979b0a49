import { z } from 'zod'
import { transferOutcomes } from '../call/events.ts'
import { limits } from '../limits.ts'

/** What the API answers: each answer is cut to its schema, and clients read it by the same one. */

const ports = z.object({ gateway: z.number(), asterisk: z.number() })
const texts = z.record(z.string(), z.string())

const callSummary = z.object({
  id: z.string(),
  state: z.enum(['offered', 'answering', 'live', 'transferring', 'connected', 'ending', 'ended']),
  outcome: z.string().nullable().describe('How it ended, such as callerHungUp.'),
  business: z.string(),
  /** None: it was refused, or is known by its voicemail alone. */
  engine: z.string().nullable(),
  codec: z.string().nullable(),
  offeredAt: z.iso.datetime(),
  answeredAt: z.iso.datetime().nullable(),
  endedAt: z.iso.datetime().nullable(),
  durationMs: z.number(),
  transferredTo: z
    .string()
    .nullable()
    .describe('The destination that the caller is to be, or is or was last, connected with.'),
  /** The caller's number with all but its end hidden. */
  from: z.string(),
  channels: z.object({ caller: z.string(), media: z.string().nullable() }),
  bridge: z.string().nullable(),
  ports: ports.nullable(),
  /** Of the audio received from the caller. */
  quality: z.object({ lossPercent: z.number(), jitterMs: z.number() }).nullable(),
  direction: z.enum(['inbound', 'outbound']),
  carrier: z
    .object({
      status: z.string(),
      seconds: z.number().nullable(),
      errorCode: z.number().nullable(),
      answeredBy: z.string().nullable(),
      price: z.string().nullable().describe('As the carrier writes it: what is charged is negative.'),
      priceUnit: z.string().nullable(),
    })
    .nullable()
    .describe("The carrier's own account of the call, as far as it has told one."),
  /** Who the caller is and what the call carries: only when asked for. */
  private: z.object({ callerNumber: z.string(), parameters: texts }).optional(),
})

const received = z.object({
  packets: z.number(),
  lost: z.number(),
  late: z.number(),
  duplicated: z.number(),
  reordered: z.number(),
  concealedFrames: z.number(),
  missingFrames: z.number(),
  strangers: z.number(),
  invalid: z.number(),
  jitterMs: z.number(),
  driftPpm: z.number(),
  ssrcChanges: z.number(),
})

const sent = z.object({
  packets: z.number(),
  lateFrames: z.number(),
  worstLateMs: z.number(),
  skippedFrames: z.number(),
  unplayedMs: z.number(),
  overflows: z.number(),
})

const happened = z.object({
  at: z.iso.datetime(),
  name: z.string(),
  details: z.record(z.string(), z.unknown()),
  /** What was said and dialled: only when asked for. */
  private: z.record(z.string(), z.unknown()).optional(),
})

export const lineFigures = z.object({ received, sent, shedFrames: z.number() })

const turn = z.object({
  at: z.iso.datetime(),
  who: z.enum(['caller', 'agent']),
  heardMs: z.number().nullable().describe('Of the agent: how long it was heard.'),
  complete: z.boolean().nullable().describe('Of the agent: whether it was heard to its end.'),
  latency: z.record(z.string(), z.number()).nullable().describe('Of an answer: where the time went, in milliseconds.'),
  private: z.object({ text: z.string() }).optional().describe('What was said: only when asked for.'),
})

const moment = z.iso.datetime()
const transfer = z.object({
  attempt: z.number().describe('Counts from 1; anew where a gateway goes on with a call of another.'),
  destination: z.string(),
  mode: z.enum(['blind', 'attended']),
  by: z.enum(['agent', 'caller', 'key', 'operator', 'failure']),
  beganAt: moment,
  rangAt: moment.nullable(),
  answeredAt: moment.nullable(),
  endedAt: moment.nullable().describe('When it was settled: with the outcome connected they talked from then on.'),
  outcome: z
    .enum(transferOutcomes)
    .nullable()
    .describe('None while it is under way, or when its gateway has died meanwhile.'),
  private: z.object({ reason: z.string() }).optional().describe('Why: only when asked for.'),
})

const digestSource = z.enum(['provider', 'builtIn'])

const digest = z.object({
  at: z.iso.datetime(),
  by: digestSource.describe('builtIn: in words of the call alone.'),
  urgency: z.enum(['none', 'soon', 'now']),
  private: z
    .object({ who: z.string(), why: z.string(), outcome: z.string(), followUp: z.string() })
    .optional()
    .describe('Only when asked for.'),
})

const transcript = z.object({
  recording: z.string(),
  at: z.iso.datetime(),
  by: digestSource.describe('builtIn: as far as it was understood.'),
  private: z.object({ text: z.string() }).optional().describe('Only when asked for.'),
})

export const callDetail = callSummary.extend({
  summary: digest.nullable().describe('The call in short; none while nobody has told it.'),
  transcripts: z.array(transcript).describe('Of the messages that its caller has left.'),
  rtp: lineFigures.nullable(),
  turns: z.array(turn),
  tools: z.array(z.object({ at: z.iso.datetime(), tool: z.string(), ok: z.boolean(), tookMs: z.number() })),
  transfers: z.array(transfer),
  events: z.array(happened),
  complete: z.boolean().describe('False when not all of its events are told here.'),
})

export const callList = z.object({
  calls: z.array(callSummary),
  next: z.string().nullable().describe('The cursor of the next page, if there is one.'),
  complete: z.boolean().describe('False while the database is away: then only calls of this gateway are told.'),
  totals: z.object({ live: z.number(), ended: z.number() }).describe('In the memory of this gateway.'),
})

/** The id of the call something belongs to, or 'orphan': it was left behind, or is none of ours. */
const call = z.string()

export const channelList = z.object({
  channels: z.array(z.object({ id: z.string(), name: z.string(), state: z.string(), call })),
  bridges: z.array(z.object({ id: z.string(), technology: z.string(), channels: z.array(z.string()), call })),
})

export const accepted = z.object({ id: z.string(), state: z.string() })
export const alive = z.object({ status: z.literal('alive'), version: z.string(), uptimeSeconds: z.number() })
export const ready = z.object({ status: z.literal('ready'), warnings: z.array(z.string()) })

/** A database takes no zero character and no half of a pair. */
export function storableText(mostChars: number) {
  const storable = (text: string) => !text.includes('\0') && text.isWellFormed()
  return z.string().min(1).max(mostChars).refine(storable, 'holds characters that are none')
}

/** https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/ */
export const idempotencyKey = z
  .string('must be sent: any text of your own that tells this from all else that you ask for')
  .pipe(storableText(limits.http.keyChars))

const yesOrNo = z.enum(['true', 'false'])
const mostListed = limits.media.lines + limits.call.endedKept

export const privacyQuery = z.strictObject({
  private: yesOrNo.default('false').describe("With callers' numbers and what was said."),
})
export const business = storableText(limits.http.paramChars)
const limit = z.coerce.number().int().min(1).max(mostListed).default(100)
const momentAsked = z.iso.datetime({ offset: true })

/** Weeks before and after it are days, too. */
export const askedDay = z.iso
  .date()
  .refine(day => day >= '1970-01-01' && day < '3000-01-01', 'must be a day from 1970-01-01 to 2999-12-31')

/** Of a list that is told in pages, the newest first. */
export const pageQuery = privacyQuery.extend({
  business: business.optional(),
  cursor: z.string().min(1).max(limits.http.cursorChars).optional(),
  limit,
})
export const listQuery = pageQuery.extend({
  // A plus in a query stands for a space unless it is written as %2B.
  number: storableText(limits.http.paramChars)
    .transform(text => text.replace(/^ /, '+'))
    .optional(),
  state: z.enum(['live', 'ended']).optional(),
  outcome: storableText(limits.http.paramChars).optional(),
  transfer: z.enum(transferOutcomes).optional().describe('What one of its transfers came to.'),
  since: momentAsked.optional(),
  before: momentAsked.optional(),
  text: storableText(limits.http.textChars)
    .optional()
    .describe('Words said in it, by either side, or left in a message, or in its summary; once it has ended.'),
})
export const callParameters = z.strictObject({ id: z.string().min(1).max(limits.http.paramChars) })

export type CallSummary = z.infer<typeof callSummary>
export type CallDetail = z.infer<typeof callDetail>
export type ChannelList = z.infer<typeof channelList>
