import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { House } from './house.ts'

const block = Buffer.alloc(4_096)

/**
 * Leaves the gateway no room on the disk, and gives it back. An ordinary user can do it by a limit on what the process may
 * write; scripts/root-proofs.sh lays the state folder on a small disk, which is then filled in earnest.
 */
export function diskOf(house: House) {
  const filler = join(house.stateDir, 'filler')
  const limit = (bytes: string) => execFileSync('prlimit', ['--pid', String(house.pid), `--fsize=${bytes}:unlimited`])
  if (process.env['PARLEY_SMALL_DISK'] !== '1') return { fill: () => limit('0'), free: () => limit('unlimited') }
  return { fill: () => fillUp(filler), free: () => rmSync(filler) }
}

function fillUp(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, block)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}
