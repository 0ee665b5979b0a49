import { randomInt, randomUUID } from 'node:crypto'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CallerDeps } from '../../src/caller/call.ts'
import { answering, type Manner, Phone } from '../../src/caller/phone.ts'
import { pause, systemClock } from '../../src/clock.ts'
import { encode } from '../../src/media/g711.ts'
import { toneGenerator } from '../../src/media/tone.ts'
import { Wheel } from '../../src/media/wheel.ts'
import { readTrunkAddresses } from '../../src/telephony/asterisk/addresses.ts'
import { askConsole } from '../../src/telephony/asterisk/console.ts'
import { endProcess, forgetInstance } from '../../src/telephony/asterisk/instance.ts'
import { launch } from '../../src/telephony/asterisk/launch.ts'
import { renderConfiguration } from '../../src/telephony/asterisk/render.ts'
import type { AsteriskSettings } from '../../src/telephony/asterisk/settings.ts'
import { testProgram, testSettings } from './asterisk.ts'
import { pbxFiles, pbxHz } from './pbx-files.ts'
import { seeded } from './random.ts'

export { pbxAccess, pbxHz } from './pbx-files.ts'

const RATE = 8_000
const MUSIC_SECONDS = 20
const wheel = new Wheel(systemClock)

/**
 * A second real Asterisk that stands for a FreePBX with a pjsip trunk towards us.
 *
 * - 2000 rings `phone`, which answers; 3000 is the same, and asks for a password first (`pbxAccess`)
 * - 2001 is busy (486), 2002 declines (603), 2007 is forbidden (403), 2003 rings and never answers; all others are unknown (404)
 * - 2004 answers at once with a tone
 * - 2005 has sound of its own for a second and then answers; 2015 is busy then; 2018 rings for two
 *   seconds more before it answers
 * - 2006 answers with a queue that rings `agent`; 2016 is that queue, and answers when the agent does
 * - 2008 answers with a menu: key n is followed by a tone of 400 + 100 n Hz, until the next
 */
export interface Pbx extends AsyncDisposable {
  readonly settings: AsteriskSettings
  readonly phone: Phone
  readonly agent: Phone
  /** As it stands in a business: `sip:2000@127.1.2.3:5060;transport=udp`. */
  address(extension: string, transport?: 'udp' | 'tcp'): string
  /** The names of its channels. */
  channels(): Promise<string[]>
  /** Settles when it has none. */
  idle(): Promise<void>
  console(question: string): Promise<string>
  /** Is gone, all at once and without a word. */
  kill(): void
}

export async function startPbx(deps: CallerDeps = { clock: systemClock, wheel, random: seeded(7) }): Promise<Pbx> {
  const [address, phones] = loopbackAddresses()
  const [program, settings] = await Promise.all([
    testProgram(),
    testSettings({ systemName: `pbx-${randomUUID().slice(0, 8)}`, bindAddress: address }),
  ])
  const phone = await Phone.open(deps, { address: phones, whenCalled: humming(pbxHz.phone) })
  const agent = await Phone.open(deps, { address: phones, whenCalled: humming(pbxHz.agent) })
  const place = { program, settings, clock: systemClock }
  const rendered = renderConfiguration({ ...place, trunk: readTrunkAddresses(), destinations: new Map() })
  for (const [file, text] of pbxFiles({ settings, phone: phone.address, agent: agent.address }))
    rendered.set(file, text)
  for (const [music, hz] of Object.entries({ hold: pbxHz.hold, queue: pbxHz.queue })) {
    await mkdir(join(settings.directory, 'music', music), { recursive: true })
    await writeFile(join(settings.directory, 'music', music, 'tone.ulaw'), toneOf(hz))
  }
  const { instance } = await launch(place, rendered, '', new AbortController().signal)
  const ask = async (question: string) => (await askConsole(place, question)) ?? ''
  const channels = async () =>
    (await ask('core show channels concise')).split('\n').flatMap(line => line.split('!')[0] || [])
  return {
    settings,
    phone,
    agent,
    address: (extension, transport = 'udp') => `sip:${extension}@${address}:${settings.udpPort};transport=${transport}`,
    channels,
    async idle() {
      while ((await channels()).length > 0) await pause(systemClock, 50)
    },
    console: ask,
    kill: () => process.kill(-instance.pid, 'SIGKILL'),
    async [Symbol.asyncDispose]() {
      await endProcess(instance, systemClock, 1_000)
      await forgetInstance(settings)
      await Promise.all([phone.close(), agent.close()])
      await rm(dirname(settings.pidFile), { recursive: true, force: true })
    },
  }
}

function humming(hz: number): Manner {
  return call => {
    call.hum(hz)
    return answering(call)
  }
}

/** Of the PBX and of its telephones: used by nobody else, so that who speaks is told by them. */
function loopbackAddresses(): readonly [string, string] {
  const network = `127.${randomInt(10, 250)}.${randomInt(250)}`
  return [`${network}.1`, `${network}.2`]
}

function toneOf(hz: number): Uint8Array {
  const samples = toneGenerator(RATE, hz, -12)(new Int16Array(MUSIC_SECONDS * RATE))
  const bytes = new Uint8Array(samples.length)
  encode('ulaw', samples, bytes)
  return bytes
}
