import { z } from 'zod'
import { limits } from '../limits.ts'
import { pageQuery, storableText } from './schemas.ts'

const moment = z.iso.datetime()

export const recordingQuery = pageQuery.omit({ private: true }).extend({
  call: storableText(limits.http.paramChars).optional(),
  deleted: z.enum(['true', 'false']).optional().describe('true: those whose sound is gone.'),
})

export const recordingParameters = z.strictObject({ id: storableText(limits.http.paramChars) })

export const recording = z.object({
  id: z.string(),
  call: z.string(),
  business: z.string(),
  beganAt: moment,
  announcedAt: moment.nullable().describe('When the caller had been told.'),
  seconds: z.number().nullable().describe('None while it goes on.'),
  endedWhy: z
    .string()
    .nullable()
    .describe('callEnded, transferred, stopped, diskFull, tooLong, mediaLost, or cut: by a gateway that died.'),
  shedFrames: z.number().describe('Pairs of frames left out for want of time: silence stands in their place.'),
  convertedAt: moment.nullable(),
  bytes: z.number().nullable().describe('Once it is converted.'),
  deletedAt: moment.nullable(),
  deletedBy: z
    .string()
    .nullable()
    .describe('operator or business: whose token asked; age; request: of a caller who is forgotten.'),
})

export const recordingList = z.object({
  recordings: z.array(recording),
  next: z.string().nullable().describe('The cursor of the next page, if there is one.'),
})

export type RecordingView = z.infer<typeof recording>
