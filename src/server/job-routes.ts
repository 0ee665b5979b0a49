import { z } from 'zod'
import { findJob, listJobs, type StoredJob } from '../store/jobs.ts'
import { scopeOf } from './access.ts'
import { isoTime } from './call-record.ts'
import type { ServerDependencies } from './dependencies.ts'
import { type JobView, job, jobList, jobParameters, jobQuery, rebuildWanted, rebuilt } from './job-schemas.ts'
import { pageOf, placeOf } from './page.ts'
import { Refusal } from './problem.ts'
import type { TypedServer } from './typed.ts'

const DAY_MS = 86_400_000

/** What is done when calls are over, and what could not be. */
export function jobRoutes(
  app: TypedServer,
  { store, work, clock }: Pick<ServerDependencies, 'store' | 'work' | 'clock'>,
): void {
  const config = { access: 'business' } as const

  const list = { summary: 'Jobs, the newest first', querystring: jobQuery, response: { 200: jobList } }
  app.get('/v1/jobs', { config, schema: list }, async request => {
    const { cursor, limit, ...filter } = request.query
    const place = placeOf(cursor)
    const after = place && { at: new Date(place.atMs), id: place.id }
    if (after && !isId(after.id)) throw new Refusal(400, 'The cursor is of another list: begin again without one.')
    const page = { after, count: limit + 1 }
    const found = await store.ask(db => listJobs(db, scopeOf(request), filter, page))
    const { page: jobs, next } = pageOf(found, limit, ({ wantedAt, id }) => ({ atMs: wantedAt.getTime(), id }))
    return { jobs: jobs.map(viewOf), next }
  })

  const retrying = {
    summary: 'Has a job that has failed begun anew, and one that waits for another attempt tried now',
    params: jobParameters,
    response: { 200: job },
  }
  app.post('/v1/jobs/:id/retry', { config, schema: retrying }, async request => {
    const { id } = request.params
    const find = async () => (isId(id) ? store.ask(db => findJob(db, scopeOf(request), id)) : undefined)
    const failed = await find()
    if (!failed) throw new Refusal(404, 'There is no such job.')
    if (!(await work.retry(failed)))
      throw new Refusal(409, 'No attempt of it has failed: only then is there another one.')
    return viewOf((await find()) ?? failed)
  })

  const rebuilding = {
    summary: 'Wants the jobs of what has happened once more: those that are known, or done, are not done again',
    body: rebuildWanted,
    response: { 202: rebuilt },
  }
  app.post('/v1/jobs/rebuild', { config: { access: 'operator' }, schema: rebuilding }, async (request, reply) => {
    const since = new Date(clock.wallMs() - request.body.days * DAY_MS)
    return reply.code(202).send({ events: await work.rebuild(since) })
  })
}

/** In the form that the database gives them. */
function isId(id: string): boolean {
  return z.uuid().safeParse(id).success
}

function viewOf({ wantedAt, nextAt, endedAt, ...rest }: StoredJob): JobView {
  const { id, kind, key, business, subject, state, attempts, why } = rest
  return {
    ...{ id, kind, key, business, subject: { ...subject }, state, attempts, why },
    ...{ wantedAt: isoTime(wantedAt.getTime()), nextAt: isoTime(nextAt.getTime()) },
    endedAt: endedAt && isoTime(endedAt.getTime()),
  }
}
