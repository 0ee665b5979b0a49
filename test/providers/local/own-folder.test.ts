import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { expect, it } from 'vitest'
import { ownFolder, sweepFolders } from '../../../src/providers/local/own-folder.ts'

it('is swept when its process runs no more, and no other is', async () => {
  const within = mkdtempSync(join(tmpdir(), 'parley-own-'))
  try {
    const { pid } = spawnSync(process.execPath, ['--eval', ''])
    for (const kind of ['speech', 'hearing', 'message']) {
      mkdirSync(join(within, `parley-${kind}-${pid}-abc`))
      writeFileSync(join(within, `parley-${kind}-${pid}-abc`, 'u1.raw'), 'what a caller said')
    }
    const others = [`parley-hearing-${process.ppid}-abc`, `parley-house-${pid}-abc`, `other-${pid}-abc`]
    for (const name of others) mkdirSync(join(within, name))
    const own = await ownFolder('hearing', within)
    await sweepFolders(within)
    expect(readdirSync(within).sort()).toEqual([...others, basename(own)].sort())
    expect(existsSync(own)).toBe(true)
  } finally {
    rmSync(within, { recursive: true })
  }
})
