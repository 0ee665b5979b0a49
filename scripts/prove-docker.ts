import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { levelDb } from '../src/caller/tones.ts'
import { systemClock } from '../src/clock.ts'
import { decode } from '../src/media/g711.ts'
import { toneGenerator } from '../src/media/tone.ts'
import {
  api,
  ari,
  businessFile,
  dial,
  drains,
  greeted,
  hearsAWord,
  http,
  rtp,
  run,
  settingsFile,
  sip,
  statusOf,
  until,
} from './proof.ts'

/** What prove-docker.sh has an engine for: see there. */

const clone = process.argv[2] ?? ''
process.chdir(clone)
const messageHz = 700
const services = ['asterisk', 'database', 'gateway'] as const
type Service = (typeof services)[number]
const users = { asterisk: '5060', database: '5062', gateway: '5061' } as const

function say(text: string): void {
  console.log(`prove-docker: ${text}`)
}

const compose = (...args: string[]) =>
  run('docker', 'compose', '--file', 'docker-compose.yml', '--file', 'prove.yml', ...args)
const inside = (service: Service, command: string) => compose('exec', '--no-TTY', service, 'sh', '-c', command)
const inspect = async (service: Service, format: string) =>
  await run('docker', 'inspect', '--format', format, `parley-${service}-1`)
const pidOf = async (service: Service) => Number(await inspect(service, '{{.State.Pid}}'))

/** Of all, and as they are now: what a health check says may be some seconds old. */
async function ready(): Promise<void> {
  for (const service of services) {
    const health = () => inspect(service, '{{.State.Health.Status}}')
    await until(`${service} is healthy`, 60, async () => (await health()) === 'healthy')
  }
  await until('the gateway is ready', 30, async () => (await statusOf(`${api}/readyz`)) === 200)
}

async function callThrough(when: string): Promise<void> {
  const call = await greeted()
  const shown = await inside('gateway', 'node src/commands/calls.ts --once')
  assert.match(shown, /^1 live call, /)
  await call.hangup()
  say(`${when}: a call is answered and hears the greeting`)
}

async function proveFreshClone(): Promise<void> {
  if (settingsFile()) await writeFile(join(clone, '.env'), settingsFile())
  await compose('up', '--build', '--wait')
  say(`up with ${settingsFile() ? 'other ports' : 'nothing but the clone'}: all services are healthy`)
  const refusal = await (await dial()).answered
  assert.deepEqual({ ...refusal, afterMs: 0, reason: '' }, { kind: 'refused', status: 403, afterMs: 0, reason: '' })
  say('nobody but the trunk is let in: a call from this machine hears 403')
}

/** The engine that needs no key finds its programs in the image, hears and speaks. */
async function proveDemoEngine(): Promise<void> {
  await writeFile(join(clone, '.env'), settingsFile({ SIP_ALLOW: '127.0.0.1/32' }))
  await compose('up', '--wait')
  const call = await dial()
  await call.answered
  await hearsAWord(call, 0)
  await call.hearsSilence(1_500, { timeoutMs: 30_000 })
  const word = readFileSync(join(import.meta.dirname, '../test/fixtures/words/hello-espeak-en-us-telephone.ulaw'))
  const samples = new Int16Array(word.length)
  decode('ulaw', word, samples)
  await call.play(samples)
  await until('the word is heard', 15, async () =>
    (await inside('gateway', 'cat /var/lib/parley/journal/*')).includes('callerSpoke'),
  )
  await call.hangup()
  say('with SIP_ALLOW in .env: the engine that needs no key greets a caller, and hears what is said')
}

async function proveSettings(): Promise<void> {
  await writeFile(join(clone, 'house.yaml'), businessFile)
  const settings = { SIP_ALLOW: '127.0.0.1/32', BUSINESS_FILE: './house.yaml', AGENT_ENGINE: 'scripted' }
  await writeFile(join(clone, '.env'), settingsFile(settings))
  const before = await pidOf('asterisk')
  await compose('up', '--wait')
  assert.notEqual(await pidOf('asterisk'), before, 'Asterisk goes on with the configuration of before')
  await callThrough('with a .env, and a business of its own')
}

async function proveConfinement(): Promise<void> {
  for (const service of services) {
    const pid = await pidOf(service)
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    for (const [name, wanted] of [
      ['Uid', new RegExp(users[service])],
      ['CapEff', /^0+$/],
      ['CapBnd', /^0+$/],
      ['NoNewPrivs', /^1$/],
    ] as const) {
      assert.match(new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '', wanted, `${service}: ${name}`)
    }
    const root = readFileSync(`/proc/${pid}/mounts`, 'utf8')
      .split('\n')
      .find(line => line.split(' ')[1] === '/')
    assert.match(root ?? '', / ro,/, `${service}: its root can be written`)
    assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /Max open files\s+(8192|16384)\s/)
    await assert.rejects(inside(service, 'touch /usr/there'), /Read-only file system/)
    const log = JSON.parse(await inspect(service, '{{json .HostConfig.LogConfig}}'))
    assert.deepEqual(log, { Type: 'json-file', Config: { 'max-file': '5', 'max-size': '10m' } })
    say(`${service}: user ${/^Uid:\s+(\d+)/m.exec(status)?.[1]}, no capability, root read-only, log rotated`)
  }
  await assert.rejects(inside('asterisk', 'cat /var/lib/parley/ari-password'), /No such file/)
  await assert.rejects(inside('asterisk', 'echo >> /var/lib/parley-asterisk/etc/ari.conf'), /Permission denied/)
  const kept = await run('docker', 'run', '--rm', '--network', 'none', 'parley-gateway', 'ls', '-A')
  assert.deepEqual(kept.split('\n').sort(), ['asterisk', 'node_modules', 'package.json', 'src'])
  say(
    "no secret in the image; Asterisk reads its configuration, cannot write it, and has no way to the gateway's state",
  )
}

/** Every call is a row of the server, also those that ended while it was away; nobody but the gateway and the server's own user gets in. */
async function proveDatabase(): Promise<void> {
  const ask = (query: string) => inside('database', `psql --tuples-only --no-align --command "${query}"`)
  const ended = async () => Number(await ask("select count(*) from calls where state = 'ended'"))
  const before = await ended()
  await callThrough('with the database up')
  await until('the call is a row', 20, async () => (await ended()) === before + 1)
  await compose('stop', 'database')
  await callThrough('with the database stopped')
  await compose('start', 'database')
  await until('the call is a row, too', 30, async () => (await ended()) === before + 2)
  for (const stranger of ['5062', '5063']) {
    const claim = compose('exec', '--no-TTY', '--user', stranger, 'database', 'psql', '--username', 'parley')
    await assert.rejects(claim, /Peer authentication failed/)
  }
  const dump = await inside('database', 'pg_dump | tail -n 5')
  assert.match(dump, /PostgreSQL database dump complete/)
  await assert.rejects(inside('gateway', 'ls /var/lib/parley/database'), /No such file/)
  say(
    'each call is a row in the PostgreSQL server; one that ended while it was stopped comes after; it can be backed up',
  )
}

/** Of the containers' processes, during a call: everything open to other machines. */
async function proveOpenPorts(): Promise<void> {
  const call = await greeted()
  const pids = new Set((await Promise.all(services.map(pidOf))).map(String))
  const sockets = (await run('ss', '--no-header', '--numeric', '--listening', '--tcp', '--udp', '--processes'))
    .split('\n')
    .filter(line => pids.has(/pid=(\d+)/.exec(line)?.[1] ?? ''))
    .map(line => line.split(/\s+/))
  const outside = sockets
    .filter(([, , , , address = '']) => !/^(127\.|\[::1\])/.test(address))
    .map(([protocol = '', , , , address = '']) => `${protocol} ${/\d+$/.exec(address)?.[0]}`)
  const wanted = [`tcp ${sip.tcpPort}`, `udp ${sip.udpPort}`]
  const [signalling, rest] = split(outside, each => wanted.includes(each))
  const isRtp = (port: number) => port >= rtp.start && port <= rtp.end
  const [sound, others] = split(rest, each => each.startsWith('udp') && isRtp(Number(each.slice(4))))
  assert.deepEqual(signalling.sort(), wanted)
  assert.ok(sound.length >= 2, 'the call has no RTP port')
  // PJSIP opens one for each family, to ask name servers by; it takes nothing but the answer to a question of its own.
  assert.ok(others.length <= 2 && others.every(each => each.startsWith('udp')), `also open: ${others.join(', ')}`)
  assert.ok(sockets.some(([, , , , address]) => address === `127.0.0.1:${http.port}`))
  assert.ok(sockets.some(([, , , , address]) => address === `127.0.0.1:${ari.port}`))
  say(
    `open to others during a call: SIP ${signalling.join(', ')}; RTP ${sound.join(', ')}; PJSIP's own DNS ${others.join(', ')}`,
  )
  await call.hangup()
}

function split<T>(all: readonly T[], belongs: (each: T) => boolean): [T[], T[]] {
  return [all.filter(belongs), all.filter(each => !belongs(each))]
}

/** The example of a TLS proxy, without the TLS: its site is a port of this machine. */
async function proveProxy(): Promise<void> {
  const config = join(import.meta.dirname, '../deploy/Caddyfile')
  const site = 'http://127.0.0.1:3080'
  const env = {
    ...process.env,
    PARLEY_SITE: site,
    HTTP_PORT: String(http.port),
    XDG_DATA_HOME: clone,
    XDG_CONFIG_HOME: clone,
  }
  const caddy = spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', config], { env, stdio: 'ignore' })
  const missing = await new Promise(resolve => {
    caddy.once('error', () => resolve(true))
    caddy.once('spawn', () => resolve(false))
  })
  if (missing) return say('no Caddy on this machine: deploy/Caddyfile is NOT proven')
  try {
    await run('caddy', 'validate', '--adapter', 'caddyfile', '--config', config)
    await until('Caddy answers', 20, async () => (await statusOf(site)) !== 0)
    assert.deepEqual(
      [await statusOf(`${site}/v1/calls`), await statusOf(`${site}/metrics`), await statusOf(`${site}/readyz`)],
      [401, 404, 404],
    )
    say('deploy/Caddyfile is valid; through it the API asks for its token, and probes and figures are not shown')
  } finally {
    caddy.kill()
  }
}

async function proveRestarts(): Promise<void> {
  for (const service of services) {
    await compose('restart', service)
    await ready()
    await callThrough(`after a restart of ${service}`)
  }
  const before = await pidOf('asterisk')
  process.kill(before, 'SIGKILL')
  await until('Asterisk runs again', 30, async () => ![0, before].includes(await pidOf('asterisk')))
  await ready()
  await callThrough('after Asterisk was killed')
}

async function proveTakeOver(): Promise<void> {
  const call = await greeted()
  const sinceMs = call.heardMs
  process.kill(await pidOf('gateway'), 'SIGKILL')
  await hearsAWord(call, sinceMs)
  assert.equal(await inspect('gateway', '{{.RestartCount}}'), '1')
  await until('the journal has it', 10, async () =>
    (await inside('gateway', 'cat /var/lib/parley/journal/*')).includes('takenOver'),
  )
  say(
    `gateway killed in mid-call: started again, the caller hears a word ${((call.heardMs - sinceMs) / 1_000).toFixed(1)} s later`,
  )
  await call.hangup()
}

async function proveFallback(): Promise<void> {
  const recordings = () => inside('asterisk', 'ls /var/lib/parley-asterisk/spool/recording')
  const call = await greeted()
  await run('docker', 'pause', 'parley-gateway-1')
  const pausedMs = systemClock.now()
  await until('the fallback takes a message', 45, async () => (await recordings()).startsWith('voicemail-'))
  say(
    `gateway frozen in mid-call: the fallback takes a message after ${Math.round((systemClock.now() - pausedMs) / 1_000)} s`,
  )
  await call.play(toneGenerator(8_000, messageHz, -10)(new Int16Array(16_000)))
  await call.hangup()
  await run('docker', 'unpause', 'parley-gateway-1')
  await until('the message is picked up', 60, async () => (await recordings()) === '')
  const file = await inside('gateway', 'base64 /var/lib/parley/voicemail/*.wav')
  const wav = Buffer.from(file, 'base64').subarray(44)
  const samples = new Int16Array(wav.buffer.slice(wav.byteOffset, wav.byteOffset + (wav.length & ~1)))
  assert.ok(levelDb(samples) > -30, 'the message is silent')
  say('back again, it picks the message up from the other container, and what was said is in it')
  await ready()
  await callThrough('after that')
}

async function proveStop(): Promise<void> {
  const call = await greeted()
  const stopping = compose('stop')
  await drains(call)
  say('told to stop in mid-call: new calls hear 503, the running one goes on')
  await call.hangup()
  await stopping
  for (const service of services)
    assert.equal(await inspect(service, '{{.State.ExitCode}}'), '0', `${service} ended badly`)
  say('its call over, all services end by themselves with 0')
  await compose('up', '--wait')
  await callThrough('up again')
  await compose('down', '--volumes')
  assert.equal(await run('docker', 'ps', '--all', '--quiet', '--filter', 'label=com.docker.compose.project=parley'), '')
}

await proveFreshClone()
await proveDemoEngine()
await proveSettings()
await proveConfinement()
await proveDatabase()
await proveOpenPorts()
await proveProxy()
await proveRestarts()
await proveTakeOver()
await proveFallback()
await proveStop()
process.exit(0)
