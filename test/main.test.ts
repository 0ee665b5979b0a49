import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parley-main-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** A start that must end by itself before anything is opened. */
async function lastWords(envFile: string): Promise<{ code: number; said: string }> {
  await writeFile(join(folder, '.env'), envFile)
  const program = join(import.meta.dirname, '../src/main.ts')
  return new Promise(resolve =>
    execFile(process.execPath, [program], { cwd: folder, env: {} }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), said: stdout + stderr }),
    ),
  )
}

it('names what looks mistyped beside what is wrong', async () => {
  expect(await lastWords('ASTERISK=external\nARI_PASWORD=not-to-be-seen\n')).toEqual({
    code: 1,
    said: [
      'parley: .env, line 2: ARI_PASWORD is not known: did you mean ARI_PASSWORD?',
      'parley: ARI_PASSWORD must be set when ASTERISK=external: the password of that Asterisk cannot be generated here.',
      '',
    ].join('\n'),
  })
})

it('names the lines of a .env that would be passed over', async () => {
  const { code, said } = await lastWords('\nAPI_TOKEN not-to-be-seen\n')
  expect(code).toBe(1)
  expect(said).toBe(
    'parley: The configuration has 1 problem(s):\n  - .env, line 2: not of the form NAME=value; a comment begins with #.\n',
  )
})
