import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../clock.ts'
import { asError } from '../../errors.ts'
import { findAsterisk } from '../../telephony/asterisk/acquire.ts'
import { requiredModules } from '../../telephony/asterisk/modules.ts'
import { hasMusic } from '../../telephony/asterisk/music.ts'
import type { AsteriskProgram } from '../../telephony/asterisk/program.ts'
import { businessesOf } from './destinations.ts'
import { capital, type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('asterisk')

interface Found {
  readonly program: AsteriskProgram | undefined
  /** Why the configured one cannot be used. */
  readonly problem: string | undefined
  /** Installed ones that are not used, and why. */
  readonly passedOver: readonly string[]
  readonly missingModules: readonly string[]
  /** A business wants it for callers who wait, and there is none. */
  readonly lacksMusic: boolean
}

/** The program that a start would take. Of an external one only ARI can tell. */
export async function lookAtAsterisk(scene: Scene): Promise<Found | undefined> {
  const { config, environment } = scene
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
    const wantsMusic = businessesOf(scene).some(({ transfers }) => transfers.waiting === 'music')
    const lacksMusic = wantsMusic && program !== undefined && !hasMusic(program)
    return { program, problem: undefined, passedOver, missingModules, lacksMusic }
  } catch (thrown) {
    return { program: undefined, problem: asError(thrown).message, passedOver, missingModules: [], lacksMusic: false }
  }
}

export function judgeAsterisk({ program, problem, passedOver, missingModules, lacksMusic }: Found): Finding[] {
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
    ...(lacksMusic ? [noMusic] : []),
  ]
}

const noMusic = warning(
  'A business wants music for callers who wait (transfers.waiting), and Asterisk has none: it rings for them instead.',
  "Install Debian's asterisk-moh-opsound-gsm, or let transfers.waiting be ringing.",
)

function missingFrom({ moduleDirectory }: AsteriskProgram): string[] {
  return requiredModules().filter(name => !existsSync(join(moduleDirectory, name)))
}
