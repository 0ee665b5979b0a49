import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../clock.ts'
import { asError } from '../../errors.ts'
import { findAsterisk } from '../../telephony/asterisk/acquire.ts'
import { requiredModules } from '../../telephony/asterisk/modules.ts'
import type { AsteriskProgram } from '../../telephony/asterisk/program.ts'
import { capital, type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, error } = findingsOf('asterisk')

interface Found {
  readonly program: AsteriskProgram | undefined
  /** Why the configured one cannot be used. */
  readonly problem: string | undefined
  /** Installed ones that are not used, and why. */
  readonly passedOver: readonly string[]
  readonly missingModules: readonly string[]
}

/** The program that a start would take. Of an external one only ARI can tell. */
export async function lookAtAsterisk({ config, environment }: Scene): Promise<Found | undefined> {
  if (config.asterisk === 'external') return undefined
  const passedOver: string[] = []
  try {
    const program = await findAsterisk({
      configured: config.asterisk,
      cacheDirectory: config.asteriskCache,
      environment,
      clock: systemClock,
      progress: text => passedOver.push(text),
    })
    const missingModules = program ? missingFrom(program) : []
    return { program, problem: undefined, passedOver, missingModules }
  } catch (thrown) {
    return { program: undefined, problem: asError(thrown).message, passedOver, missingModules: [] }
  }
}

export function judgeAsterisk({ program, problem, passedOver, missingModules }: Found): Finding[] {
  const findings = passedOver.map(text => hint(`${capital(text)}.`, 'Nothing need be done: another one is taken.'))
  if (problem !== undefined) {
    return [...findings, error(problem, 'Set ASTERISK to a program that can be used, or leave it out.')]
  }
  if (!program) {
    return [
      ...findings,
      hint(
        'No Asterisk is here yet.',
        "The first npm start fetches Debian's packages, about 45 MB; nothing is installed on the machine.",
      ),
    ]
  }
  if (missingModules.length > 0) {
    return [
      ...findings,
      error(
        `Asterisk ${program.version} lacks modules without which it does not start: ${missingModules.join(', ')}.`,
        program.origin === 'unpacked'
          ? 'Remove the folder of the fetched Asterisk (ASTERISK_CACHE); the next start fetches it anew.'
          : "Install Debian's asterisk-modules, or leave ASTERISK out and uninstall this one.",
      ),
    ]
  }
  return [
    ...findings,
    ok(`Asterisk ${program.version} (${program.origin}) has all ${requiredModules().length} modules.`),
  ]
}

function missingFrom({ moduleDirectory }: AsteriskProgram): string[] {
  return requiredModules().filter(name => !existsSync(join(moduleDirectory, name)))
}
