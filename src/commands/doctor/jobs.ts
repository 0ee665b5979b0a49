import { join } from 'node:path'
import { httpAddressHere } from '../../own-address.ts'
import { apiTokenSecret, storedSecret } from '../../secret.ts'
import { jobList } from '../../server/job-schemas.ts'
import { type Asked, ask } from './ask.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning } = findingsOf('jobs')

interface Jobs {
  /** Where the token is from. */
  readonly source: string
  /** Those that have failed, of the API; undefined when no gateway runs. */
  readonly failed: Asked | undefined
}

/** Of the work after calls the running gateway tells: an embedded database is its own alone. */
export async function lookAtJobs({ config, ours }: Scene): Promise<Jobs> {
  const { apiToken, stateDir, http } = config
  const source = apiToken === undefined ? join(stateDir, apiTokenSecret.file) : apiTokenSecret.setting
  if (!ours.gateway) return { source, failed: undefined }
  const token = apiToken?.reveal() ?? (await storedSecret(stateDir, apiTokenSecret))
  const headers = { authorization: `Bearer ${token}` }
  return { source, failed: await ask(`${httpAddressHere(http)}/v1/jobs?state=failed`, headers) }
}

export function judgeJobs({ source, failed }: Jobs): Finding[] {
  if (failed === undefined) {
    return [
      hint(
        'Whether work after calls has failed and waits for a person is told by a running Parley alone.',
        'Start it with npm start, and see: npm run jobs -- list',
      ),
    ]
  }
  // That it does not answer is told of the gateway.
  if ('unreachable' in failed) return []
  if (failed.status === 401) {
    const words = `Which jobs have failed is not told: Parley refuses the token of ${source} (401).`
    return [warning(words, 'Use the STATE_DIR or API_TOKEN that it was started with.')]
  }
  const list = jobList.safeParse(failed.body)
  if (failed.status !== 200 || !list.success) {
    return [
      warning(
        `Which jobs have failed is not told: Parley answers ${failed.status}.`,
        'See its log: the database may be away.',
      ),
    ]
  }
  const { jobs, next } = list.data
  if (jobs.length === 0) return [ok('No job waits for a person: none has failed.')]
  const kinds = [...Map.groupBy(jobs, ({ kind }) => kind)].map(([kind, each]) => `${each.length} ${kind}`)
  const count = `${next === null ? '' : 'More than '}${jobs.length} job${jobs.length === 1 ? ' has' : 's have'}`
  return [
    warning(
      `${count} failed for good, and nobody tries again (${kinds.join(', ')}).`,
      'See what went wrong: npm run jobs -- list. When the reason is gone: npm run jobs -- retry all',
    ),
  ]
}
