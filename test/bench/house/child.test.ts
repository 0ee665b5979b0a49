import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, describe, expect, it } from 'vitest'
import { isRunning } from '../../e2e/gateway/house.ts'

const house = new URL('../../../bench/house/', import.meta.url)
const folder = mkdtempSync(join(tmpdir(), 'parley-child-'))
afterAll(() => rmSync(folder, { recursive: true }))

function write(name: string, lines: readonly string[]): string {
  writeFileSync(join(folder, name), lines.join('\n'))
  return join(folder, name)
}

describe('a program of the bench', () => {
  it.each([
    ['at once', 'async () => {}, 60_000'],
    ['though its own end comes to none', '() => new Promise(() => {}), 50'],
  ])('is gone with its parent, also when that is killed: %s', async (_, end) => {
    const program = write('program.mjs', [
      `import { answer } from '${new URL('requests.ts', house)}'`,
      `answer({ ready: () => true }, ${end})`,
      // Such as calls that go on.
      'setInterval(() => {}, 60_000)',
    ])
    const parent = write('parent.mjs', [
      `import { pathToFileURL } from 'node:url'`,
      `import { Child } from '${new URL('child.ts', house)}'`,
      `const child = new Child(pathToFileURL('${program}'), { environment: {} })`,
      `await child.ask('ready')`,
      `console.log(child.pid)`,
    ])
    const bench = spawn(process.execPath, [parent], { stdio: ['ignore', 'pipe', 'inherit'] })
    const said = createInterface(bench.stdout)
    const [line] = await once(said, 'line')
    expect(isRunning(Number(line))).toBe(true)
    bench.kill('SIGKILL')
    // Both could write there: it ends with the second of them, or this test with its time.
    await once(said, 'close')
  })
})
