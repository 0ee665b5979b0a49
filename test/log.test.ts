import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { createLog } from '../src/log.ts'

const program = `
  import { createLog } from ${JSON.stringify(new URL('../src/log.ts', import.meta.url).href)}
  const log = createLog('info')
  for (let line = 0; line < 100; line++) log.info({ line }, 'x'.repeat(200))
  if (process.argv[1] === 'at once') process.exit(7)
  setTimeout(() => { log.info('last'); process.exit(7) }, 50)`
const args = ['--input-type=module', '-e', program]

it.each(['at once', 'later'])(
  'ends no program that logs to a full disk, and keeps none from its end: %s',
  async when => {
    const full = openSync('/dev/full', 'w')
    const logging = spawn(process.execPath, [...args, when], { stdio: ['ignore', full, 'inherit'] })
    closeSync(full)
    expect(await once(logging, 'exit')).toEqual([7, null])
  },
)

it('loses no line and no order where they are taken, up to the end', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...args, 'later']).catch(error => error)
  const lines = stdout.trim().split('\n')
  const logged = lines.map((line: string) => JSON.parse(line))
  expect(logged.slice(0, 100).map((each: { line: number }) => each.line)).toEqual(
    Array.from({ length: 100 }, (_, line) => line),
  )
  expect(logged.at(-1).msg).toBe('last')
})

it('waits for the end of the program once, however many logs there are', () => {
  createLog('silent')
  const before = process.listenerCount('exit')
  for (let log = 0; log < 20; log++) createLog('silent')
  expect(process.listenerCount('exit')).toBe(before)
})
