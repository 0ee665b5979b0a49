import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../clock.ts'
import { runCommand } from '../../debian/command.ts'
import type { Architecture } from '../../debian/machine.ts'
import { type FetchOptions, fetchedTree, fetchTree, type Recipe } from '../../debian/tree.ts'
import { GatewayError } from '../../errors.ts'
import { limits } from '../../limits.ts'
import { type AsteriskProgram, unpackedProgram } from './program.ts'
import { isRecentEnough, minimumVersion, versionIn } from './version.ts'

export const remedy =
  `Install Asterisk ${minimumVersion} or newer and set ASTERISK to the path of its program, ` +
  'or run Parley with Docker.'

const recipe: Recipe = {
  name: 'Asterisk',
  wanted: ['asterisk', 'asterisk-core-sounds-en-gsm', 'asterisk-moh-opsound-gsm'],
  /** Needed to install, or by modules that are never loaded: more than half of what would be fetched. */
  leftOut: [
    /^(adduser|base-passwd|debconf|passwd|login\.defs|tzdata|readline-common|pci\.ids)$/,
    /^(perl|libperl|libgdbm|libdebconf|libpam|libsemanage|libsepol|libselinux|libaudit)/,
    /^(gnupg|gpg|dirmngr|pinentry|libgpgme|libgmime|libksba|libassuan|libnpth|libgnutls|libp11)/,
    /^(libc-gconv-modules|libicu|libical|libneon|libcodec2|libspandsp|libtiff|libjack|libportaudio|libasound)/,
    /^(libsnmp|libsensors|libpci|libldap|libsasl|libpq|libsybdb|freetds|libodbc|libradcli|libunbound|libcurl)/,
  ],
  megabytes: 45,
  remedy,
  code: 'ASTERISK_MISSING',
  // As the package of sounds does when it is installed.
  finish: root => symlink('en_US_f_Allison', join(root, 'usr/share/asterisk/sounds/en')),
  versionOf,
  isRecentEnough,
}

/** Debian's package, unpacked into a folder of its own; from the cache when it was fetched before. */
export async function fetchAsterisk(options: FetchOptions): Promise<AsteriskProgram> {
  const { root, version, architecture } = await fetchTree(recipe, options)
  return unpackedProgram(root, version, architecture)
}

/** What an earlier start has fetched, if it still runs. Nothing is fetched now. */
export async function fetchedAsterisk(options: FetchOptions): Promise<AsteriskProgram | undefined> {
  const found = await fetchedTree(recipe, options)
  return found && unpackedProgram(found.root, found.version, found.architecture)
}

async function versionOf(root: string, architecture: Architecture, clock: Clock): Promise<string> {
  const { command } = unpackedProgram(root, '', architecture)
  const result = await runCommand([...command, '-V'], { clock, timeoutMs: limits.debian.commandMs })
  const version = versionIn(result.stdout)
  if (!version) throw new GatewayError('ASTERISK_MISSING', `what was unpacked does not run: ${result.stderr.trim()}`)
  if (!isRecentEnough(version)) {
    throw new GatewayError('ASTERISK_MISSING', `the mirror carries ${version}; at least ${minimumVersion} is needed`)
  }
  return version
}
