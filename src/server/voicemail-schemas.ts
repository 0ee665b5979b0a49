import { z } from 'zod'
import { limits } from '../limits.ts'
import { pageQuery, privacyQuery } from './schemas.ts'

const way = z.enum(['agent', 'closed', 'failure', 'reception'])
const moment = z.iso.datetime().nullable()
const yesOrNo = z.enum(['true', 'false'])

export const voicemail = z.object({
  id: z.string(),
  call: z.string(),
  business: z.string(),
  at: z.iso.datetime(),
  seconds: z.number(),
  by: way
    .nullable()
    .describe('What led the caller there; none: the carrier or the dialplan, while no gateway had them.'),
  ended: z
    .enum(['silence', 'key', 'limit', 'hungUp', 'cut'])
    .nullable()
    .describe('cut: by a gateway that died, or a disk that was full.'),
  readAt: moment,
  archivedAt: moment,
  deletedAt: moment,
  deletedBy: z.string().nullable().describe('As of recordings.'),
  private: z
    .object({ recording: z.string(), callerNumber: z.string().nullable() })
    .optional()
    .describe('Who has left it, and in which file of STATE_DIR/voicemail: only when asked for.'),
})

export const voicemailList = z.object({
  voicemails: z.array(voicemail),
  next: z.string().nullable().describe('The cursor of the next page, if there is one.'),
})

export const voicemailDetail = voicemail.extend({
  transcript: z
    .object({
      by: z.enum(['provider', 'builtIn']).describe('builtIn: as far as it was understood.'),
      private: z.object({ text: z.string() }).optional().describe('What was said: only when asked for.'),
    })
    .nullable()
    .describe('None while nobody has written it down.'),
})

export const transcriptionWanted = z.object({ job: z.string().describe('As GET /v1/jobs tells it.') })

export const voicemailQuery = pageQuery.extend({
  call: z.string().min(1).max(limits.http.paramChars).optional().describe('As the record has it, and hooks tell it.'),
  read: yesOrNo.optional(),
  archived: yesOrNo.optional(),
  deleted: yesOrNo.optional().describe('true: those whose sound is gone.'),
  by: z
    .enum([...way.options, 'none'])
    .optional()
    .describe('none: by the carrier or the dialplan.'),
})
export const voicemailDetailQuery = privacyQuery
export const voicemailParameters = z.strictObject({ id: z.string().min(1).max(limits.http.paramChars) })
export const voicemailMarks = z
  .strictObject({ read: z.boolean().optional(), archived: z.boolean().optional() })
  .refine(({ read, archived }) => read !== undefined || archived !== undefined, 'must set read, archived, or both')

export type VoicemailView = z.infer<typeof voicemail>
