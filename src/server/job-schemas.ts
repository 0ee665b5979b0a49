import { z } from 'zod'
import { limits } from '../limits.ts'
import { jobKinds } from '../store/jobs.ts'
import { pageQuery } from './schemas.ts'

const kind = z.enum(jobKinds)
const state = z
  .enum(['waiting', 'underWay', 'done', 'failed'])
  .describe('waiting: not tried yet, or in vain so far; failed: tried as often as it may be, or hopeless.')

export const job = z.object({
  id: z.string(),
  kind,
  key: z.string().describe('Of its kind: what has the same one is the same job, however often it is wanted.'),
  business: z.string(),
  subject: z.record(z.string(), z.union([z.string(), z.number()])).describe('Ids alone.'),
  state,
  attempts: z.number(),
  wantedAt: z.iso.datetime(),
  nextAt: z.iso.datetime().describe('Not before.'),
  endedAt: z.iso.datetime().nullable(),
  why: z.string().nullable().describe('Of the last attempt that failed.'),
})

export const jobList = z.object({
  jobs: z.array(job),
  next: z.string().nullable().describe('The cursor of the next page, if there is one.'),
})

export const jobQuery = pageQuery.omit({ private: true }).extend({ kind: kind.optional(), state: state.optional() })
export const jobParameters = z.strictObject({ id: z.string().min(1).max(limits.http.paramChars) })
export const rebuildWanted = z.strictObject({
  days: z.number().int().min(1).max(30).default(1).describe('So far back events are read once more.'),
})
export const rebuilt = z.object({ events: z.number().describe('That were read.') })

export type JobView = z.infer<typeof job>
