import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { limits } from '../../limits.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, warning, error } = findingsOf('disk')

interface Disk {
  readonly stateDir: string
  readonly writable: boolean
  /** For this user. */
  readonly freeBytes: number
  /** Files that can still be made; undefined where the file system does not count them. */
  readonly freeFiles: number | undefined
}

export function lookAtDisk({ config: { stateDir } }: Scene): Disk {
  const folder = nearestThere(stateDir)
  const { bavail, bsize, files, ffree } = statfsSync(folder)
  return { stateDir, writable: isWritable(folder), freeBytes: bavail * bsize, freeFiles: files > 0 ? ffree : undefined }
}

export function judgeDisk({ stateDir, writable, freeBytes, freeFiles }: Disk): Finding[] {
  const { least, low } = limits.doctor.diskBytes
  const elsewhere = 'Free some space, or point STATE_DIR to another disk.'
  const free = `${(freeBytes / 1e9).toFixed(1)} GB are free for STATE_DIR ${stateDir}`
  if (!writable) {
    return [
      error(`STATE_DIR ${stateDir} cannot be written by this user.`, 'Change its owner, or point STATE_DIR elsewhere.'),
    ]
  }
  if (freeFiles === 0) return [error(`No more files can be made where STATE_DIR ${stateDir} is.`, elsewhere)]
  if (freeBytes < least) return [error(`Only ${free}: journal and voicemails would soon be lost.`, elsewhere)]
  return [freeBytes < low ? warning(`Only ${free}.`, elsewhere) : ok(`${free}.`)]
}

/** Where one that is not there yet would be made. */
export function nearestThere(folder: string): string {
  let there = folder
  while (!existsSync(there)) there = dirname(there)
  return there
}

export function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
    return statSync(folder).isDirectory()
  } catch {
    return false
  }
}
