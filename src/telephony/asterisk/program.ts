import { existsSync, realpathSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { Clock } from '../../clock.ts'
import { limits } from '../../limits.ts'
import { runCommand } from './command.ts'
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

export interface Architecture {
  readonly name: 'amd64' | 'arm64'
  readonly triplet: string
  readonly loader: string
}

const architectures: Readonly<Record<string, Architecture>> = {
  x64: { name: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { name: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
}

/** Undefined on a machine that Debian's package is not made for here. */
export function machineArchitecture(): Architecture | undefined {
  return process.platform === 'linux' ? architectures[process.arch] : undefined
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
  const result = await runCommand([path, '-V'], { clock, timeoutMs: limits.asterisk.commandMs })
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

/** A tree of Debian's packages, run through its own loader so that it meets only its own libraries. */
export function unpackedProgram(root: string, version: string, architecture: Architecture): AsteriskProgram {
  const libraries = join(root, 'usr/lib', architecture.triplet)
  return {
    origin: 'unpacked',
    version,
    command: [join(libraries, architecture.loader), '--library-path', libraries, join(root, 'usr/sbin/asterisk')],
    moduleDirectory: join(libraries, 'asterisk/modules'),
    dataDirectory: join(root, 'usr/share/asterisk'),
  }
}
