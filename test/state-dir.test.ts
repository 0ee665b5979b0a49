import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { holdStateDir } from '../src/state-dir.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-state-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('STATE_DIR', () => {
  it('is made for its owner only, and held by one process at a time, under whatever name', async () => {
    const held = await holdStateDir(join(folder, 'state'))
    expect(statSync(join(folder, 'state')).mode & 0o077).toBe(0)
    symlinkSync(join(folder, 'state'), join(folder, 'alias'))
    await expect(holdStateDir(join(folder, 'state'))).rejects.toThrow(/Another Parley/)
    await expect(holdStateDir(join(folder, 'alias'))).rejects.toThrow(/Another Parley/)
    const other = await holdStateDir(join(folder, 'other'))
    expect(other.mark).not.toBe(held.mark)
    await held.release()
    const again = await holdStateDir(join(folder, 'alias'))
    expect(again.mark).toBe(held.mark)
    await Promise.all([again.release(), other.release()])
  })

  it('is free again when its holder was killed, and not before', async () => {
    const program = `
      import { holdStateDir } from ${JSON.stringify(new URL('../src/state-dir.ts', import.meta.url).href)}
      await holdStateDir(process.argv[1])
      console.log('held')
      process.stdin.resume()`
    const holder = spawn(process.execPath, ['--input-type=module', '-e', program, folder])
    await once(holder.stdout, 'data')
    await expect(holdStateDir(folder)).rejects.toThrow(/Another Parley/)
    // Frozen it may go on at any moment: it still holds the folder.
    holder.kill('SIGSTOP')
    await expect(holdStateDir(folder)).rejects.toThrow(/Another Parley/)
    holder.kill('SIGKILL')
    await once(holder, 'exit')
    await (await holdStateDir(folder)).release()
  })

  it('whose lock cannot be taken is refused in words', async () => {
    mkdirSync(join(folder, 'lock'))
    await expect(holdStateDir(folder)).rejects.toThrow(/lock cannot be locked \(.*Choose a STATE_DIR/)
    rmdirSync(join(folder, 'lock'))
    writeFileSync(join(folder, 'lock'), 'no lock of ours')
    await expect(holdStateDir(folder)).rejects.toThrow(/lock cannot be locked/)
  })

  it('is made with all that stands above it', async () => {
    const held = await holdStateDir(join(folder, 'a/b/c'))
    expect(held.path.endsWith('a/b/c')).toBe(true)
    await held.release()
  })

  it('that cannot be made is refused in words', async () => {
    await expect(holdStateDir('/proc/parley')).rejects.toThrow(/STATE_DIR .* Choose a folder/)
    writeFileSync(join(folder, 'file'), '')
    await expect(holdStateDir(join(folder, 'file', 'state'))).rejects.toThrow(/STATE_DIR .* Choose a folder/)
  })
})
