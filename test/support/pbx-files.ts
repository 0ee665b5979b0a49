import { hostPort } from '../../src/caller/address.ts'
import { requiredModules } from '../../src/telephony/asterisk/modules.ts'
import type { AsteriskSettings } from '../../src/telephony/asterisk/settings.ts'

/** What is heard of the PBX: each sound is a tone of its own. */
export const pbxHz = {
  /** The telephone of 2000, and the agent of the queue. */
  phone: 1_100,
  agent: 1_300,
  /** 2004, and 2005 before and after it answers. */
  tone: 700,
  early: 600,
  lateTone: 900,
  /** What callers on hold and in the queue hear. */
  hold: 800,
  queue: 500,
} as const

/** The password of the trunk that is reached by 3000. */
export const pbxAccess = { username: 'parley', password: 'test-password-of-the-trunk' } as const

interface PbxParts {
  readonly settings: AsteriskSettings
  readonly phone: { readonly address: string; readonly port: number }
  readonly agent: { readonly address: string; readonly port: number }
}

/** What of its configuration is other than the gateway's Asterisk's: as FreePBX writes it for a pjsip trunk. */
export function pbxFiles({ settings, phone, agent }: PbxParts): Map<string, string> {
  return new Map([
    ['modules.conf', modules()],
    ['pjsip.conf', pjsip(settings, { 2000: hostPort(phone), agent: hostPort(agent) })],
    ['extensions.conf', extensions],
    ['queues.conf', queues],
    ['musiconhold.conf', music(settings)],
  ])
}

function modules(): string {
  const more = ['app_queue.so', 'res_musiconhold.so', 'app_playtones.so']
  return `[modules]\nautoload = no\n${[...requiredModules(), ...more].map(each => `load = ${each}\n`).join('')}`
}

function pjsip(settings: AsteriskSettings, phones: Readonly<Record<string, string>>): string {
  const { bindAddress, tcpPort, udpPort } = settings
  const sound = `disallow = all
allow = ulaw,alaw
direct_media = no
rtp_symmetric = yes
dtmf_mode = rfc4733
media_address = ${bindAddress}
bind_rtp_to_media_address = yes
rtp_port_start = ${settings.rtp.start}
rtp_port_end = ${settings.rtp.end}`
  const telephones = Object.entries(phones).map(
    ([name, address]) => `
[${name}]
type = endpoint
context = from-internal
aors = ${name}
${sound}

[${name}]
type = aor
contact = sip:${name}@${address}
`,
  )
  return `
[global]
type = global
user_agent = FPBX
endpoint_identifier_order = header,ip,username,anonymous

[transport-udp]
type = transport
protocol = udp
bind = ${bindAddress}:${udpPort}

[transport-tcp]
type = transport
protocol = tcp
bind = ${bindAddress}:${tcpPort}

; The trunk towards the gateway, known by its address.
[parley]
type = endpoint
context = from-trunk
aors = parley
allow_overlap = no
send_connected_line = no
rewrite_contact = yes
force_rport = yes
trust_id_inbound = yes
${sound}

[parley]
type = aor
contact = sip:127.0.0.1

[parley]
type = identify
endpoint = parley
match = 127.0.0.1

; The same, asking for a password.
[secured]
type = endpoint
context = from-trunk
allow_overlap = no
auth = secured
trust_id_inbound = yes
${sound}

[secured]
type = auth
auth_type = userpass
username = ${pbxAccess.username}
password = ${pbxAccess.password}

[secured]
type = identify
endpoint = secured
match_header = To: /sip:3[0-9][0-9][0-9]@/
${telephones.join('')}`
}

const extensions = `
[general]
static = yes
writeprotect = yes

; What FreePBX calls inbound routes: a DID and where it leads.
[from-trunk]
exten => 2000,1,Goto(ext-local,2000,1)
exten => 3000,1,Goto(ext-local,2000,1)
exten => 2001,1,Hangup(17)
exten => 2002,1,Hangup(16)
exten => 2007,1,Hangup(21)
exten => 2003,1,Ringing()
 same => n,Wait(300)
exten => 2004,1,Answer()
 same => n,PlayTones(${pbxHz.tone})
 same => n,Wait(3600)
exten => 2005,1,Progress()
 same => n,PlayTones(${pbxHz.early})
 same => n,Wait(1)
 same => n,Answer()
 same => n,PlayTones(${pbxHz.lateTone})
 same => n,Wait(3600)
exten => 2015,1,Progress()
 same => n,PlayTones(${pbxHz.early})
 same => n,Wait(1)
 same => n,Hangup(17)
exten => 2018,1,Progress()
 same => n,PlayTones(${pbxHz.early})
 same => n,Wait(1)
 same => n,Ringing()
 same => n,Wait(2)
 same => n,Answer()
 same => n,PlayTones(${pbxHz.lateTone})
 same => n,Wait(3600)
exten => 2006,1,Answer()
 same => n,Goto(2016,1)
exten => 2016,1,Queue(support)
 same => n,Hangup(17)
exten => 2008,1,Goto(menu,s,1)

[menu]
exten => s,1,Answer()
 same => n,WaitExten(60)
exten => _X,1,PlayTones($[400 + \${EXTEN} * 100])
 same => n,WaitExten(60)

[ext-local]
exten => 2000,1,Dial(PJSIP/2000,300)
 same => n,Hangup(\${HANGUPCAUSE})

[from-internal]
`

const queues = `
[general]
persistentmembers = no
autofill = yes

[support]
strategy = ringall
musicclass = queue
timeout = 30
retry = 1
joinempty = yes
member => PJSIP/agent
`

function music({ directory }: AsteriskSettings): string {
  const classes = { default: 'hold', queue: 'queue' }
  return Object.entries(classes)
    .map(([name, folder]) => `[${name}]\nmode = files\ndirectory = ${directory}/music/${folder}\n`)
    .join('\n')
}
