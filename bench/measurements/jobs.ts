import { limits } from '../../src/limits.ts'
import { jobKinds } from '../../src/store/jobs.ts'
import { Child } from '../house/child.ts'
import type { JobsRequests } from '../programs/jobs.ts'
import { figure, type Row } from '../report/row.ts'
import type { How, Subject } from './measurement.ts'

const CALLS = 100
const QUICK_CALLS = 20
const IDLE_MS = 60_000
/** One look. */
const QUICK_IDLE_MS: number = limits.jobs.lookMs

export const jobs: Subject = {
  title: 'What is done after a call',
  method: `The queue of jobs, the loop that claims them and the embedded database in a process of their own, without any call. A call is
recorded, its agent takes a message that cannot wait, one hook hears of everything and the owner of the message by mail; what it wants is told by
the gateway's own code, at the five times at which it comes, and done by effects that take no time. A job is wanted in a transaction
of its own, claimed, and done: the figure is the processor time of the whole process, all of its threads, by job. **Idle** is what the process
takes while there is nothing to do, with its looks each ${limits.jobs.lookMs / 1_000} s, and the share of what is tended each ${limits.jobs.tendMs / 60_000} minutes.`,
  measurements: [{ name: 'jobs', run }],
}

async function run({ quick, progress }: How): Promise<Row[]> {
  const calls = quick ? QUICK_CALLS : CALLS
  const idleMs = quick ? QUICK_IDLE_MS : IDLE_MS
  progress(`jobs of ${calls} calls, and ${idleMs / 1_000} s without any`)
  const environment = { PATH: process.env['PATH'] ?? '' }
  await using child = new Child<JobsRequests>(new URL('../programs/jobs.ts', import.meta.url), { environment })
  const cost = await child.ask('cost', { calls, idleMs })
  const kinds = jobKinds.filter(kind => cost.jobs[kind] !== undefined)
  const count = kinds.reduce((sum, kind) => sum + cost.jobs[kind]!, 0)
  const looks = (100 * cost.looksMs) / idleMs
  const tending = (100 * cost.tendMs) / limits.jobs.tendMs
  return [
    {
      subject: `the jobs of ${calls} calls, on the embedded database`,
      checks: [{ name: 'processor time a job', value: cost.jobsMs / count, most: 7, unit: 'ms' }],
      notes: [
        `${figure(cost.jobsMs / calls)} ms a call of ${figure(count / calls)} jobs`,
        `of a call ${kinds.map(kind => `${figure(cost.jobs[kind]! / calls)} ${kind}`).join(', ')}`,
      ],
      conditions: undefined,
    },
    {
      subject: `the queue while there is nothing to do, ${idleMs / 1_000} s`,
      checks: [{ name: 'of a core, %', value: looks + tending, most: 0.1 }],
      notes: [`looks ${figure(looks)} %`, `tending ${figure(tending)} %, ${figure(cost.tendMs)} ms each time`],
      conditions: undefined,
    },
  ]
}
