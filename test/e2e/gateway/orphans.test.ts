import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { pause, systemClock } from '../../../src/clock.ts'
import { isRunning } from './house.ts'

it('a house is gone with the process that opened it, also when that is killed', async () => {
  const program = `
    import { House } from '${new URL('./house.ts', import.meta.url)}'
    const house = await House.open({ database: 'embedded' })
    console.log(JSON.stringify({ gateway: house.pid, asterisk: await house.asteriskPid(), folder: house.stateDir }))
    setInterval(() => {}, 60_000)`
  const opener = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = await once(createInterface(opener.stdout), 'line')
  const { gateway, asterisk, folder } = JSON.parse(line)
  try {
    expect([gateway, asterisk].map(isRunning)).toEqual([true, true])
    opener.kill('SIGKILL')
    while (isRunning(gateway) || isRunning(asterisk)) await pause(systemClock, 25)
  } finally {
    for (const pid of [gateway, asterisk]) if (isRunning(pid)) process.kill(pid, 'SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
})
