import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  statfsSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** What the recording thread asks of the disk. It waits for it: nobody else waits for this thread. */
export interface RecordingFiles {
  /** Made where it is not there, with its folder; for its owner only. */
  open(path: string): number
  bytes(file: number): number
  read(file: number, into: Uint8Array): number
  /** All of it, at that place. */
  write(file: number, bytes: Uint8Array, at: number): void
  cut(file: number, bytes: number): void
  sync(file: number): void
  close(file: number): void
  /** That this user may take. */
  freeBytes(folder: string): number
}

export const filesOnDisk: RecordingFiles = {
  open(path) {
    const folder = dirname(path)
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (existsSync(path)) return openSync(path, 'r+')
    const file = openSync(path, 'wx+', 0o600)
    syncFolder(folder)
    return file
  },
  bytes: file => fstatSync(file).size,
  read: (file, into) => readSync(file, into, 0, into.length, 0),
  write(file, bytes, at) {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, at + done)
  },
  cut: ftruncateSync,
  sync: fdatasyncSync,
  close: closeSync,
  freeBytes(folder) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  },
}

/** That a file is there by its name outlives a power cut only when its folder has been brought to the disk, too. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r')
  try {
    fdatasyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
