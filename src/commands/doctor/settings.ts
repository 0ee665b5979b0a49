import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Business, engineTitles, readBusiness } from '../../business.ts'
import { businessDefaults, type Loaded, unreadVariables } from '../../config.ts'
import { readEnvFile } from '../../environment.ts'
import { asError } from '../../errors.ts'
import { canSendTexts, missingForNotices } from '../../twilio-settings.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('settings')
const OTHERS = 0o077

interface Settings {
  /** Names that nothing reads. */
  readonly doubts: readonly string[]
  /** Undefined without a `.env`. */
  readonly envFileMode: number | undefined
  /** Why `.env` cannot be read. */
  readonly unreadable: string | undefined
  readonly business: Business | string
  readonly canTell: Readonly<Record<keyof typeof missingForNotices, boolean>>
}

export function lookAtSettings({ directory, environment, config }: Scene): Settings {
  const file = readEnvFile(directory)
  return {
    doubts: unreadVariables(directory, environment),
    envFileMode: statSync(join(directory, '.env'), { throwIfNoEntry: false })?.mode,
    unreadable: file.unreadable ? file.problems.join(' ') : undefined,
    business: businessOf({ config, environment: { ...file.values, ...environment } }),
    canTell: { text: canSendTexts(config.twilio), mail: config.smtp !== undefined },
  }
}

export function judgeSettings({ doubts, envFileMode, unreadable, business, canTell }: Settings): Finding[] {
  const findings = doubts.map(doubt => warning(doubt, 'Correct the name or remove it; .env.example has all names.'))
  if (envFileMode !== undefined && (envFileMode & OTHERS) !== 0) {
    findings.push(warning('.env can be read by other users of this machine, and holds secrets.', 'Run: chmod 600 .env'))
  }
  if (unreadable !== undefined) {
    findings.push(error(unreadable, 'Until then the doctor goes by the environment alone.'))
  }
  if (typeof business === 'string') {
    return [
      ...findings,
      error(business, 'Correct what BUSINESS_FILE names, see business.example.yaml, or set what it needs.'),
    ]
  }
  const { phone, email } = business.notify
  const wanted = { text: phone, mail: email } as const
  for (const by of ['text', 'mail'] as const) {
    if (wanted[by] === undefined || canTell[by]) continue
    const words = `The business is to be told of calls by ${by} (notify), and ${missingForNotices[by]}.`
    findings.push(hint(words, 'Set what is missing, or take it out of the business.'))
  }
  const valid = [ok(`Every setting is valid; calls get the engine ${engineTitles[business.engine]}.`)]
  return findings.some(({ severity }) => severity !== 'hint') ? findings : [...valid, ...findings]
}

export function refusedSettings(message: string): Finding[] {
  return [error(message, 'Correct them; .env.example explains each. The other checks need valid settings.')]
}

function businessOf(loaded: Loaded): Business | string {
  try {
    return readBusiness(businessDefaults(loaded))
  } catch (thrown) {
    return asError(thrown).message
  }
}

export function problemOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (thrown) {
    return asError(thrown).message
  }
}
