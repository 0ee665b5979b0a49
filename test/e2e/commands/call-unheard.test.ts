import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { word } from '../../../src/caller/voice.ts'
import { pause, systemClock } from '../../../src/clock.ts'
import { FakeOpenAi } from '../../../src/fake-openai/api.ts'
import { buildFakeServer } from '../../../src/fake-openai/server.ts'
import { writeStereoWav } from '../../../src/media/wav.ts'
import { seeded } from '../../support/random.ts'
import { House } from '../gateway/house.ts'

const api = new FakeOpenAi({ clock: systemClock })
const server = buildFakeServer(api)
let house: House
let sound: string

beforeAll(async () => {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const environment = { AGENT_ENGINE: 'realtime', OPENAI_BASE_URL: `http://127.0.0.1:${port}`, LEASE_SECONDS: '8' }
  // Whoever is asked for a message has been spoken to.
  house = await House.open({ environment, business: { voicemail: { onFailure: false } } })
  sound = join(house.stateDir, 'word.wav')
  const samples = word({ f0: 130, markerHz: 1_300, ms: 600, level: -16, random: seeded(1) })
  await writeFile(sound, writeStereoWav(samples, samples, 8_000))
})
afterAll(async () => {
  await house[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
})

function run(...args: readonly string[]) {
  const root = join(import.meta.dirname, '../../..')
  const program = [join(root, 'src/commands/call.ts'), ...args]
  const options = { cwd: house.stateDir, env: house.environment }
  const { promise, resolve } = Promise.withResolvers<{ code: number; stdout: string; stderr: string }>()
  const child = execFile(join(root, 'node_modules/node/bin/node'), program, options, (error, stdout, stderr) =>
    resolve({ code: Number(error?.code ?? 0), stdout, stderr }),
  )
  let told = ''
  child.stdout?.on('data', text => {
    told += text
  })
  const tells = async (words: RegExp) => {
    while (!words.test(told)) await pause(systemClock, 50)
  }
  return { tells, done: promise }
}

it('is a success when the agent answers, and leaves the last recording alone when nobody does', async () => {
  const kept = join(house.stateDir, 'kept.wav')
  await writeFile(kept, 'the last one')
  const nobody = `sip:nobody@127.0.0.1:${house.sipPort}`
  const [heard, refused] = await Promise.all([run(sound).done, run('--to', nobody, '--out', kept).done])
  expect(heard).toMatchObject({ code: 0, stderr: '' })
  expect(heard.stdout).toMatch(/^turns +1 of 1 answered$/m)
  expect(refused.code).toBe(1)
  expect(refused.stdout).not.toMatch(/^recording/m)
  expect(await readFile(kept, 'utf8')).toBe('the last one')
}, 60_000)

it('is none when only the fallback speaks, because the engine has failed', async () => {
  api.faults.plan({ at: 'response', what: 'quota' })
  const { code, stdout, stderr } = await run(sound, '--hangup-after', '6s').done
  expect(stderr).toMatch(/^call: The agent did not speak, and Asterisk's fallback went on \(engine failed: /)
  expect(code).toBe(1)
  expect(stdout).toMatch(/^ +\d+\.\d\d {10}the fallback begins/m)
  expect(stdout).not.toMatch(/agent {3}begins/)
}, 60_000)

it('is none of a gateway that is killed in the call; one that is back takes it over, and that is told', async () => {
  const killed = run(sound, '--hangup-after', '3s')
  await killed.tells(/agent {3}begins/)
  await house.signal('SIGKILL')
  const { code, stderr } = await killed.done
  expect(stderr).toMatch(/^call: The gateway was lost in the call/)
  expect(code).toBe(1)
  await house.start()
  const rescued = run(sound, sound, '--hangup-after', '12s')
  await rescued.tells(/agent {3}begins/)
  await house.signal('SIGKILL')
  await house.start()
  const { stdout } = await rescued.done
  expect(stdout).toMatch(/^ +agent {3}\(the gateway was started again, and has taken the call over\)$/m)
}, 90_000)
