import { parseArgs } from 'node:util'
import type { z } from 'zod'
import { loadConfig } from '../config.ts'
import { asError } from '../errors.ts'
import { job, jobList, rebuilt } from '../server/job-schemas.ts'
import { type Api, ApiRefused, openApi } from './api.ts'

const usage = `What the running gateway does when calls are over, and what could not be done.

  npm run jobs -- list [--state failed|waiting|underWay|done] [--kind KIND]
  npm run jobs -- retry ID|all
  npm run jobs -- rebuild [--days 1]

  list      those that have failed, or others: with what went wrong
  retry     has one begun anew, or all that have failed; one that waits for another attempt is tried now
  rebuild   wants the jobs of what has happened in the last days once more: what is known, or done, is not done again`

const nothing = { type: 'application/json', text: '{}' }

await main().catch(error => {
  console.error(`jobs: ${asError(error).message}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const text = { type: 'string' } as const
  const options = {
    ...{ state: { ...text, default: 'failed' }, kind: text, days: { ...text, default: '1' } },
    help: { type: 'boolean', default: false },
  } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [command = '', one, ...rest] = positionals
  if (values.help) return console.log(usage)
  const api = async () => openApi(loadConfig(process.cwd()).config)
  if (rest.length === 0 && command === 'list' && one === undefined) return list(await api(), values)
  if (rest.length === 0 && command === 'retry' && one !== undefined) return retry(await api(), one)
  if (rest.length === 0 && command === 'rebuild' && one === undefined) return rebuild(await api(), Number(values.days))
  throw new Error(`that is none of its commands.\n\n${usage}`)
}

async function list(api: Api, { state, kind }: { readonly state: string; readonly kind?: string | undefined }) {
  const query = new URLSearchParams({ state, ...(kind === undefined ? {} : { kind }) })
  const { jobs, next } = await api.get(`/v1/jobs?${query}`, jobList)
  for (const each of jobs) console.log(lineOf(each))
  if (jobs.length === 0) console.log(`There is none (${state}).`)
  if (next !== null) console.log(`There are more: these are the newest ${jobs.length}.`)
}

function lineOf({ id, kind, business, attempts, wantedAt, why }: z.infer<typeof job>): string {
  return [id, kind, business, wantedAt, `${attempts} attempt${attempts === 1 ? '' : 's'}`, why ?? '']
    .join('  ')
    .trimEnd()
}

async function retry(api: Api, which: string): Promise<void> {
  const ids = which === 'all' ? await failed(api) : [which]
  for (const id of ids) {
    try {
      console.log(lineOf(await api.send('POST', `/v1/jobs/${id}/retry`, nothing, job)))
    } catch (error) {
      // Of many one may be begun, or gone, meanwhile.
      if (which !== 'all' || !(error instanceof ApiRefused)) throw error
      console.error(`${id}: ${error.message}`)
    }
  }
  if (ids.length === 0) console.log('There is none that has failed.')
}

async function failed(api: Api): Promise<readonly string[]> {
  const ids: string[] = []
  for (let page = ''; ; ) {
    const { jobs, next } = await api.get(`/v1/jobs?state=failed${page}`, jobList)
    ids.push(...jobs.map(({ id }) => id))
    if (next === null) return ids
    page = `&cursor=${encodeURIComponent(next)}`
  }
}

async function rebuild(api: Api, days: number): Promise<void> {
  const body = { type: 'application/json', text: JSON.stringify({ days }) }
  const { events } = await api.send('POST', '/v1/jobs/rebuild', body, rebuilt)
  console.log(`${events} event(s) were read once more.`)
}
