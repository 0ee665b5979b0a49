import { readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Clock, every } from '../../clock.ts'
import { limits } from '../../limits.ts'
import { logFile } from './layout.ts'
import type { AsteriskSettings } from './settings.ts'

/** Asterisk rotates its log only when it is asked, and keeps every file. */
export function keepLogsSmall(settings: AsteriskSettings, clock: Clock, rotate: () => Promise<unknown>): () => void {
  let trimming = false
  return every(clock, limits.asterisk.logCheckMs, async () => {
    if (trimming) return
    trimming = true
    await trimLogs(settings, rotate)
    trimming = false
  })
}

export async function trimLogs(settings: AsteriskSettings, rotate: () => Promise<unknown>): Promise<void> {
  const log = logFile(settings.directory)
  try {
    if ((await stat(log)).size < limits.asterisk.logBytes) return
    await rotate()
    for (const name of await readdir(dirname(log))) {
      const [, number] = /^messages\.log\.(\d+)$/.exec(name) ?? []
      if (number && Number(number) >= limits.asterisk.logFiles) await rm(join(dirname(log), name), { force: true })
    }
  } catch {
    // A log that cannot be looked at now is looked at next time.
  }
}
