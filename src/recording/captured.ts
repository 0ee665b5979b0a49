import { constants } from 'node:fs'
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { limits } from '../limits.ts'
import { readAu } from './au.ts'
import { type CaptureFile, captureFiles } from './capture.ts'

/** What was captured of calls, as it stands on the disk: that alone tells of it. */
export interface CapturedCall {
  readonly id: string
  readonly call: string
  readonly business: string
  readonly beganAtMs: number
  /** Bytes by what it is. */
  readonly files: Readonly<Record<CaptureFile, number>>
}

export function captureFolder(stateDir: string): string {
  return join(stateDir, 'captures')
}

/** The newest first. */
export async function listCaptures(folder: string): Promise<readonly CapturedCall[]> {
  const ids = (await readdir(folder).catch(() => [])).filter(isId)
  const found = await Promise.all(ids.map(id => capturedCall(folder, id)))
  return found.flatMap(each => each ?? []).sort((one, other) => other.beganAtMs - one.beganAtMs)
}

/** Nothing where there is none. */
async function capturedCall(folder: string, id: string): Promise<CapturedCall | undefined> {
  const sizeOf = async (name: CaptureFile) => (await stat(join(folder, id, captureFiles[name]))).size
  try {
    const note = (await readAu(join(folder, id, captureFiles.decoded)))?.note
    if (!note) return undefined
    const [received, decoded, frames, sent] = await Promise.all(
      (['received', 'decoded', 'frames', 'sent'] as const).map(sizeOf),
    )
    const { call, business, beganAtMs } = note
    const files = { received: received!, decoded: decoded!, frames: frames!, sent: sent! }
    return { id, call, business, beganAtMs, files }
  } catch {
    return undefined
  }
}

/** Whoever gets it closes it. */
export async function openCaptured(folder: string, id: string, name: CaptureFile): Promise<FileHandle | undefined> {
  if (!isId(id)) return undefined
  return open(join(folder, id, captureFiles[name]), constants.O_RDONLY).catch(() => undefined)
}

/** False where there is none. One that is still written goes on into files that nobody sees, for as long as it may. */
export async function removeCapture(folder: string, id: string): Promise<boolean> {
  if (!isId(id) || !(await stat(join(folder, id)).catch(() => undefined))) return false
  await rm(join(folder, id), { recursive: true, force: true })
  return true
}

/** What is kept no longer goes; also what a gateway that was killed has left. */
export async function sweepCaptures(folder: string, nowMs: number): Promise<void> {
  for (const id of (await readdir(folder).catch(() => [])).filter(isId)) {
    const { mtimeMs } = await stat(join(folder, id)).catch(() => ({ mtimeMs: nowMs }))
    if (nowMs - mtimeMs >= limits.recording.capture.keptMs) await removeCapture(folder, id)
  }
}

/** An id that is asked for from outside is never a way to another folder. */
function isId(name: string): boolean {
  return /^[\w-]{22}$/.test(name)
}
