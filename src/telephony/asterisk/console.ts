import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import { limits } from '../../limits.ts'
import { configurationFile } from './instance.ts'
import type { AsteriskProgram } from './program.ts'
import type { AsteriskSettings } from './settings.ts'

export interface Place {
  readonly program: AsteriskProgram
  readonly settings: AsteriskSettings
  readonly clock: Clock
}

/** The folder it is started in, where the control socket stands. */
export function runDirectory(settings: AsteriskSettings): string {
  return join(settings.directory, 'run')
}

/** Asks a running Asterisk by its control socket; undefined when it does not answer. */
export async function askConsole(place: Place, question: string): Promise<string | undefined> {
  const { program, settings, clock } = place
  const result = await runCommand([...program.command, '-C', configurationFile(settings.directory), '-rx', question], {
    clock,
    timeoutMs: limits.asterisk.consoleMs,
    directory: runDirectory(settings),
  })
  return result.code === 0 ? result.stdout : undefined
}
