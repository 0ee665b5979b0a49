import { mkdir, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { asError, GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { PrivateApt } from './apt.ts'
import { buildTree, type CachedTree, discardTree, findTree, type Manifest, sweepUnfinished } from './cache.ts'
import { runCommand } from './command.ts'
import { onDisk } from './disk.ts'
import { type Architecture, type AsteriskProgram, machineArchitecture, unpackedProgram } from './program.ts'
import { hashPackages, unpackPackages } from './unpack.ts'
import { isRecentEnough, minimumVersion, versionIn } from './version.ts'

export interface FetchOptions {
  /** Unpacked trees are kept here, for every start and every test of this machine. */
  readonly cacheDirectory: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly progress: (text: string) => void
}

export const remedy =
  `Install Asterisk ${minimumVersion} or newer and set ASTERISK to the path of its program, ` +
  'or run Parley with Docker.'

const wanted = ['asterisk', 'asterisk-core-sounds-en-gsm']

/** Needed to install, or by modules that are never loaded: more than half of what would be fetched. */
const leftOut = [
  /^(adduser|base-passwd|debconf|passwd|login\.defs|tzdata|readline-common|pci\.ids)$/,
  /^(perl|libperl|libgdbm|libdebconf|libpam|libsemanage|libsepol|libselinux|libaudit)/,
  /^(gnupg|gpg|dirmngr|pinentry|libgpgme|libgmime|libksba|libassuan|libnpth|libgnutls|libp11)/,
  /^(libc-gconv-modules|libicu|libical|libneon|libcodec2|libspandsp|libtiff|libjack|libportaudio|libasound)/,
  /^(libsnmp|libsensors|libpci|libldap|libsasl|libpq|libsybdb|freetds|libodbc|libradcli|libunbound|libcurl)/,
]

/** Debian's package, unpacked into a folder of its own; from the cache when it was fetched before. */
export function fetchAsterisk(options: FetchOptions): Promise<AsteriskProgram> {
  return onDisk(options.cacheDirectory, () => cachedOrFetched(options))
}

async function cachedOrFetched(options: FetchOptions): Promise<AsteriskProgram> {
  const architecture = machineArchitecture()
  if (!architecture) {
    throw new GatewayError(
      'ASTERISK_MISSING',
      `No Asterisk can be fetched for ${process.platform} on ${process.arch}. ${remedy}`,
    )
  }
  await mkdir(options.cacheDirectory, { recursive: true })
  await sweepUnfinished(options.cacheDirectory, options.clock)
  const cached = await findTree(options.cacheDirectory, architecture, wanted)
  if (cached) {
    if (await runs(cached, architecture, options.clock)) return programOf(cached, architecture)
    options.progress(`the unpacked Asterisk in ${cached.folder} does not run any more and is fetched again`)
    await discardTree(options.cacheDirectory, cached)
  }
  return programOf(await fetchTree(options, architecture), architecture)
}

async function fetchTree(options: FetchOptions, architecture: Architecture): Promise<CachedTree> {
  options.progress("no Asterisk is installed; fetching Debian's package (about 45 MB, kept for later starts) ...")
  try {
    const tree = await buildTree(options.cacheDirectory, folder => build(folder, architecture, options))
    options.progress(`Asterisk ${tree.manifest.version} is unpacked in ${tree.folder}`)
    return tree
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error
    throw new GatewayError(
      'ASTERISK_MISSING',
      `No Asterisk is installed, and Debian's could not be fetched: ${asError(error).message}. ${remedy}`,
      { cause: error },
    )
  }
}

async function build(folder: string, architecture: Architecture, options: FetchOptions): Promise<Manifest> {
  const { clock, progress, environment } = options
  const [aptFolder, downloads, root] = [join(folder, 'apt'), join(folder, 'packages'), join(folder, 'root')]
  const apt = new PrivateApt(aptFolder, clock, environment)
  await apt.open(architecture.name)
  const packages = (await apt.resolve(wanted)).filter(name => !leftOut.some(pattern => pattern.test(name)))
  progress(`downloading ${packages.length} packages ...`)
  await mkdir(downloads)
  await apt.download(packages, downloads)
  progress(`unpacking ${packages.length} packages ...`)
  await unpackPackages(downloads, root, clock)
  const hashed = await hashPackages(downloads)
  // As the package of sounds does when it is installed.
  await symlink('en_US_f_Allison', join(root, 'usr/share/asterisk/sounds/en'))
  for (const done of [aptFolder, downloads]) await rm(done, { recursive: true })
  const version = await versionOf(root, architecture, clock)
  return { version, architecture: architecture.name, wanted, packages: hashed }
}

async function versionOf(root: string, architecture: Architecture, clock: Clock): Promise<string> {
  const { command } = unpackedProgram(root, '', architecture)
  const result = await runCommand([...command, '-V'], { clock, timeoutMs: limits.asterisk.commandMs })
  const version = versionIn(result.stdout)
  if (!version) throw new GatewayError('ASTERISK_MISSING', `what was unpacked does not run: ${result.stderr.trim()}`)
  if (!isRecentEnough(version)) {
    throw new GatewayError('ASTERISK_MISSING', `the mirror carries ${version}; at least ${minimumVersion} is needed`)
  }
  return version
}

async function runs(tree: CachedTree, architecture: Architecture, clock: Clock): Promise<boolean> {
  return (await versionOf(tree.root, architecture, clock).catch(() => undefined)) === tree.manifest.version
}

function programOf(tree: CachedTree, architecture: Architecture): AsteriskProgram {
  return unpackedProgram(tree.root, tree.manifest.version, architecture)
}
