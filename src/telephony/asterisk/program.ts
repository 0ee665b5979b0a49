import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import { type Architecture, architectures, commandIn, librariesOf } from '../../debian/machine.ts'
import { limits } from '../../limits.ts'
import { isRecentEnough, minimumVersion, versionIn } from './version.ts'

/** An Asterisk that can be run: how, and where it keeps what came with it. */
export interface AsteriskProgram {
  readonly origin: 'configured' | 'installed' | 'unpacked'
  readonly version: string
  /** The program with whatever must stand before it. */
  readonly command: readonly string[]
  readonly moduleDirectory: string
  readonly dataDirectory: string
}

/** Why a program that was found is not used. */
export interface Unsuitable {
  readonly reason: string
}

/** Looks at an Asterisk that somebody installed. */
export async function inspectInstalled(
  path: string,
  origin: 'configured' | 'installed',
  clock: Clock,
): Promise<AsteriskProgram | Unsuitable> {
  const result = await runCommand([path, '-V'], { clock, timeoutMs: limits.debian.commandMs })
  const version = versionIn(result.stdout)
  if (!version) {
    const said = (result.stdout || result.stderr).trim().slice(0, 200)
    return { reason: `${path} -V does not tell a version that can be compared: ${said || 'it prints nothing'}` }
  }
  if (!isRecentEnough(version)) return { reason: `${path} is version ${version}; at least ${minimumVersion} is needed` }
  const prefix = resolve(dirname(realpathSync(path)), '..')
  const moduleDirectory = moduleCandidates(prefix).find(folder => existsSync(join(folder, 'chan_pjsip.so')))
  if (!moduleDirectory) return { reason: `${path} has no module folder with chan_pjsip.so under ${prefix}` }
  const dataDirectory = dataCandidates(prefix).find(folder => existsSync(join(folder, 'rest-api')))
  if (!dataDirectory) return { reason: `${path} has no data folder with rest-api under ${prefix}` }
  return { origin, version, command: [path], moduleDirectory, dataDirectory }
}

function moduleCandidates(prefix: string): string[] {
  const triplets = Object.values(architectures).map(each => each.triplet)
  const folders = ['lib', 'lib64', ...triplets.map(triplet => `lib/${triplet}`)]
  return prefixes(prefix).flatMap(each => folders.map(folder => join(each, folder, 'asterisk/modules')))
}

function dataCandidates(prefix: string): string[] {
  return prefixes(prefix)
    .flatMap(each => [join(each, 'share/asterisk'), join(each, 'var/lib/asterisk')])
    .concat('/var/lib/asterisk')
}

/** With a merged /usr, /sbin/asterisk is /usr/sbin/asterisk. */
function prefixes(prefix: string): string[] {
  return prefix === '/' ? ['/usr'] : [prefix]
}

export function unpackedProgram(root: string, version: string, architecture: Architecture): AsteriskProgram {
  return {
    origin: 'unpacked',
    version,
    command: commandIn(root, 'usr/sbin/asterisk', architecture),
    moduleDirectory: join(librariesOf(root, architecture), 'asterisk/modules'),
    dataDirectory: join(root, 'usr/share/asterisk'),
  }
}
