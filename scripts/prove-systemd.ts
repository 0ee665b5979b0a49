import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { systemClock } from '../src/clock.ts'
import { api, businessFile, drains, greeted, hearsAWord, run, settingsFile, statusOf, until } from './proof.ts'

/** What prove-systemd.sh has booted a machine for: see there. */

const init = process.argv[2] ?? ''
const root = `/proc/${init}/root`
const pidFile = `${root}/var/lib/parley/asterisk.pid`

function say(text: string): void {
  console.log(`prove-systemd: ${text}`)
}

/** On the machine that was booted. */
const there = (...command: string[]) =>
  run('nsenter', '--target', init, '--mount', '--uts', '--ipc', '--pid', '--cgroup', '--', ...command)
const systemctl = (...args: string[]) => there('systemctl', ...args)
const property = (name: string) => systemctl('show', '--property', name, '--value', 'parley.service')
const asterisk = () => readFileSync(pidFile, 'utf8').trim()
const asteriskRuns = async () =>
  (await there('sh', '-c', 'cat /proc/[0-9]*/cmdline 2>/dev/null || true')).includes('asterisk.conf')
const ready = () =>
  until('it is ready', 180, async () => (await statusOf(`${api}/readyz`)) === 200).catch(async error => {
    throw new Error(`${error.message}\n${await there('journalctl', '--unit', 'parley', '--lines', '30', '--no-pager')}`)
  })

async function callThrough(when: string): Promise<void> {
  await (await greeted()).hangup()
  say(`${when}: a call is answered and hears the greeting`)
}

async function proveStart(): Promise<void> {
  await writeFile(`${root}/etc/parley/business.yaml`, businessFile)
  const business = { BUSINESS_FILE: '/etc/parley/business.yaml', AGENT_ENGINE: 'scripted' }
  await writeFile(`${root}/etc/parley/parley.env`, settingsFile({ SIP_ALLOW: '127.0.0.1/32', ...business }))
  const startedMs = systemClock.now()
  await systemctl('enable', '--now', '/opt/parley/deploy/systemd/parley.service')
  await ready()
  say(`ready ${Math.round((systemClock.now() - startedMs) / 1_000)} s after its first start, which fetches Asterisk`)
  await callThrough('started')
  const user = await there('stat', '--format', '%U %a', '/var/lib/parley', `/proc/${asterisk()}`)
  assert.deepEqual(user.split('\n'), ['parley 700', 'parley 555'])
  const status = await there('cat', `/proc/${asterisk()}/status`)
  assert.match(status, /^CapEff:\s0+$/m)
  assert.match(status, /^NoNewPrivs:\s1$/m)
  say('Asterisk and the gateway run as parley, without a capability')
  proveNice(`${root}/proc/${await property('MainPID')}`)
}

/** One thread of the gateway's, the one that carries the sound, has nice -20. `folder`: the process in /proc. */
function proveNice(folder: string): void {
  const limit = /^Max nice priority\s+\S+\s+(\d+)/m.exec(readFileSync(`${folder}/limits`, 'utf8'))?.[1]
  if (limit !== '40') return say('the root of this machine may not raise limits: LimitNICE is NOT proven')
  const nice = readdirSync(`${folder}/task`).map(thread => {
    const text = readFileSync(`${folder}/task/${thread}/stat`, 'utf8')
    // After the name in parentheses, which may hold anything, nice is the seventeenth.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[16]
  })
  assert.equal(nice.filter(each => each === '-20').length, 1, `nice of the threads: ${nice.join(' ')}`)
  say('the thread that carries the sound goes ahead of all others')
}

async function proveCrash(): Promise<void> {
  const call = await greeted()
  const [sinceMs, before] = [call.heardMs, asterisk()]
  await systemctl('kill', '--kill-whom=main', '--signal=KILL', 'parley.service')
  await hearsAWord(call, sinceMs)
  assert.equal(asterisk(), before)
  assert.equal(await property('NRestarts'), '1')
  say('killed in mid-call: started again, it adopts its Asterisk, and the caller hears a word')
  await call.hangup()
}

async function proveStop(): Promise<void> {
  const call = await greeted()
  const stopping = systemctl('stop', 'parley.service')
  await drains(call)
  await call.hangup()
  await stopping
  assert.equal(await property('Result'), 'success')
  assert.equal(await asteriskRuns(), false)
  assert.equal(existsSync(pidFile), false)
  say('told to stop in mid-call: new calls hear 503, the running one goes on; then nothing of it is left')
}

async function proveStopOutOfTime(): Promise<void> {
  await there('sh', '-c', 'mkdir -p /run/systemd/system/parley.service.d')
  await writeFile(`${root}/run/systemd/system/parley.service.d/impatient.conf`, '[Service]\nTimeoutStopSec=3\n')
  await systemctl('daemon-reload')
  await systemctl('start', 'parley.service')
  await ready()
  // Its drain takes longer than it is given.
  const call = await greeted()
  await systemctl('stop', 'parley.service')
  assert.equal(await property('Result'), 'timeout')
  await until('Asterisk has ended', 10, async () => !(await asteriskRuns()))
  call.vanish()
  say('started again, and stopped in less time than its call takes: it is killed, and its Asterisk goes with it')
}

await proveStart()
await proveCrash()
await proveStop()
await proveStopOutOfTime()
process.exit(0)
