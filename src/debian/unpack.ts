import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import { runCommand } from './command.ts'

/** The links of a merged /usr, which base packages left out here would bring. */
const mergedFolders = ['bin', 'sbin', 'lib', 'lib64']

/** Read by people, or by programs that are left out. */
const unwantedFolders = ['doc', 'man', 'info', 'locale', 'lintian', 'bug', 'zoneinfo', 'perl', 'perl5']

/** Unpacks every package of a folder into one tree, without installing anything. */
export async function unpackPackages(downloads: string, root: string, clock: Clock): Promise<void> {
  await mkdir(join(root, 'usr'), { recursive: true })
  for (const folder of mergedFolders) {
    await mkdir(join(root, 'usr', folder))
    await symlink(join('usr', folder), join(root, folder))
  }
  const waiting = (await readdir(downloads)).filter(name => name.endsWith('.deb')).sort()
  const work = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) await unpack(join(downloads, name), root, clock)
  }
  await Promise.all(Array.from({ length: limits.debian.unpackedAtOnce }, work))
}

async function unpack(file: string, root: string, clock: Clock): Promise<void> {
  const excluded = unwantedFolders.map(folder => `--exclude=./usr/share/${folder}`)
  // Owners are only root's to give, and folders that are links of the merged /usr stay links.
  const tar = ['tar', '-x', '--no-same-owner', '--keep-directory-symlink', ...excluded, '-C', root]
  const script = 'file=$1; shift; dpkg-deb --fsys-tarfile "$file" | "$@"'
  const result = await runCommand(['sh', '-c', script, 'sh', file, ...tar], {
    clock,
    timeoutMs: limits.debian.commandMs,
  })
  // dpkg-deb's own failure leaves tar without an end of archive, which tar reports.
  if (result.code !== 0 || result.stderr.includes('dpkg-deb: error')) {
    throw new GatewayError('PROGRAM_MISSING', `${basename(file)} could not be unpacked: ${result.stderr.trim()}`)
  }
}

export interface UnpackedPackage {
  readonly file: string
  readonly sha256: string
}

export async function hashPackages(downloads: string): Promise<UnpackedPackage[]> {
  const hashed: UnpackedPackage[] = []
  for (const file of (await readdir(downloads)).filter(name => name.endsWith('.deb')).sort()) {
    const hash = createHash('sha256')
    await pipeline(createReadStream(join(downloads, file)), hash)
    hashed.push({ file, sha256: hash.digest('hex') })
  }
  return hashed
}
