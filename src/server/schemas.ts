import { z } from 'zod'
import { limits } from '../limits.ts'

/** What the API answers: each answer is cut to its schema, and clients read it by the same one. */

const ports = z.object({ gateway: z.number(), asterisk: z.number() })
const texts = z.record(z.string(), z.string())

const callSummary = z.object({
  id: z.string(),
  state: z.enum(['offered', 'answering', 'live', 'transferring', 'ending', 'ended']),
  /** How it ended. */
  reason: z.string().nullable(),
  business: z.string(),
  engine: z.string(),
  codec: z.string(),
  offeredAt: z.iso.datetime(),
  durationMs: z.number(),
  /** The caller's number with all but its end hidden. */
  from: z.string(),
  channels: z.object({ caller: z.string(), media: z.string().nullable() }),
  bridge: z.string().nullable(),
  ports: ports.nullable(),
  /** Of the audio received from the caller. */
  quality: z.object({ lossPercent: z.number(), jitterMs: z.number() }).nullable(),
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

export const callDetail = callSummary.extend({
  rtp: z.object({ received, sent, shedFrames: z.number() }).nullable(),
  events: z.array(happened),
})

export const callList = z.object({
  calls: z.array(callSummary),
  /** Of all, however many are listed. */
  totals: z.object({ live: z.number(), ended: z.number() }),
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

const yesOrNo = z.enum(['true', 'false']).default('false')
const mostListed = limits.media.lines + limits.call.endedKept

export const privacyQuery = z.strictObject({ private: yesOrNo })
export const listQuery = privacyQuery.extend({
  state: z.enum(['live', 'ended']).optional(),
  limit: z.coerce.number().int().min(1).max(mostListed).default(100),
})
export const callParameters = z.strictObject({ id: z.string().min(1).max(limits.http.paramChars) })

export type CallSummary = z.infer<typeof callSummary>
export type CallDetail = z.infer<typeof callDetail>
export type ChannelList = z.infer<typeof channelList>
