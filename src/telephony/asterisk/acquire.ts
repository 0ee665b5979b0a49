import { existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import type { FetchOptions } from '../../debian/tree.ts'
import { GatewayError } from '../../errors.ts'
import { fetchAsterisk, fetchedAsterisk, remedy } from './fetch.ts'
import { type AsteriskProgram, inspectInstalled } from './program.ts'

interface AcquireOptions extends FetchOptions {
  /** The setting ASTERISK: a path, or nothing. */
  readonly configured: string
}

/** Obtains an Asterisk: the configured one, else an installed one that is recent enough, else Debian's, unpacked. */
export async function acquireAsterisk(options: AcquireOptions): Promise<AsteriskProgram> {
  if (options.configured) return configuredProgram(options)
  return (await installedProgram(options)) ?? (await fetchAsterisk(options))
}

/** The one that a start would take, if it is there already. */
export async function findAsterisk(options: AcquireOptions): Promise<AsteriskProgram | undefined> {
  if (options.configured) return configuredProgram(options)
  return (await installedProgram(options)) ?? (await fetchedAsterisk(options))
}

async function configuredProgram({ configured, clock }: AcquireOptions): Promise<AsteriskProgram> {
  if (!isAbsolute(configured) || !existsSync(configured)) {
    throw new GatewayError(
      'ASTERISK_MISSING',
      `ASTERISK is "${configured}", which is not the absolute path of a program on this machine. ${remedy}`,
    )
  }
  const found = await inspectInstalled(configured, 'configured', clock)
  if ('reason' in found) throw new GatewayError('ASTERISK_MISSING', `ASTERISK cannot be used: ${found.reason}.`)
  return found
}

async function installedProgram(options: AcquireOptions): Promise<AsteriskProgram | undefined> {
  const folders = new Set([...(options.environment['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'])
  for (const folder of folders) {
    const path = join(folder, 'asterisk')
    if (!isAbsolute(path) || !existsSync(path)) continue
    const found = await inspectInstalled(path, 'installed', options.clock)
    if (!('reason' in found)) return found
    options.progress(`an installed Asterisk is passed over: ${found.reason}`)
  }
  return undefined
}
