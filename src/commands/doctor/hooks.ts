import type { Business } from '../../business.ts'
import { unfitSecrets } from '../../business-kept.ts'
import { knownBusinesses } from '../../destinations.ts'
import type { Environment } from '../../environment.ts'
import { loadedOf } from './destinations.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, error } = findingsOf('hooks')

interface Hooks {
  readonly businesses: readonly Pick<Business, 'id' | 'hooks'>[]
  readonly environment: Environment
}

/** Of all businesses that are known here: also of those that are served no more for what is missing. */
export function lookAtHooks(scene: Scene): Hooks {
  const loaded = loadedOf(scene)
  const { environment } = loaded
  try {
    return { businesses: knownBusinesses(loaded, () => {}, { secrets: 'unseen' }), environment }
  } catch {
    // What else is wrong with a business is told by the look at the settings.
    return { businesses: [], environment }
  }
}

export function judgeHooks({ businesses, environment }: Hooks): Finding[] {
  const all = businesses.flatMap(({ id, hooks }) => hooks.map(({ name, secret }) => ({ business: id, name, secret })))
  if (all.length === 0) return []
  const missing = all
    .filter(({ secret }) => !environment[secret]?.trim())
    .map(({ business, name, secret }) =>
      error(
        `The hook ${name} of ${business} is signed with ${secret}, which is not set: from the next start on its calls are refused.`,
        `Set ${secret} to the secret that the integrator knows, or take the hook out of the business.`,
      ),
    )
  const unfit = unfitSecrets(all, environment).map(problem =>
    error(`${problem}.`, 'Set it so, here and at the integrator: from the next start on calls are refused without.'),
  )
  const wrong = [...missing, ...unfit]
  if (wrong.length > 0) return wrong
  return [ok(all.length === 1 ? 'The hook has its secret.' : `All ${all.length} hooks have their secrets.`)]
}
