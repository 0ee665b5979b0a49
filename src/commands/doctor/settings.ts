import { statSync } from 'node:fs'
import { join } from 'node:path'
import { openBusiness } from '../../business.ts'
import { unreadVariables } from '../../config.ts'
import { asError } from '../../errors.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, warning, error } = findingsOf('settings')
const OTHERS = 0o077

interface Settings {
  /** Names that nothing reads. */
  readonly doubts: readonly string[]
  /** Undefined without a `.env`. */
  readonly envFileMode: number | undefined
  readonly businessProblem: string | undefined
}

export function lookAtSettings({ directory, environment, config }: Scene): Settings {
  return {
    doubts: unreadVariables(directory, environment),
    envFileMode: statSync(join(directory, '.env'), { throwIfNoEntry: false })?.mode,
    businessProblem: problemOf(() =>
      openBusiness({ ...config.business, engine: config.engine, environment }, () => {}),
    ),
  }
}

export function judgeSettings({ doubts, envFileMode, businessProblem }: Settings): Finding[] {
  const findings = doubts.map(doubt => warning(doubt, 'Correct the name or remove it; .env.example has all names.'))
  if (envFileMode !== undefined && (envFileMode & OTHERS) !== 0) {
    findings.push(warning('.env can be read by other users of this machine, and holds secrets.', 'Run: chmod 600 .env'))
  }
  if (businessProblem !== undefined) {
    findings.push(error(businessProblem, 'Correct the file that BUSINESS_FILE names; see business.example.yaml.'))
  }
  return findings.length > 0 ? findings : [ok('Every setting is valid.')]
}

export function refusedSettings(message: string): Finding[] {
  return [error(message, 'Correct them; .env.example explains each. The other checks need valid settings.')]
}

function problemOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (thrown) {
    return asError(thrown).message
  }
}
