import { readTrunkAddresses, type TrunkAddresses } from '../../telephony/asterisk/addresses.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { hint } = findingsOf('firewall')

interface Openings {
  readonly sipTcpPort: number
  readonly rtp: { readonly start: number; readonly end: number }
  readonly trunk: TrunkAddresses
}

export function lookAtFirewall({ config }: Scene): Openings {
  return { sipTcpPort: config.sip.tcpPort, rtp: config.rtp, trunk: readTrunkAddresses() }
}

/** What stands before the machine cannot be seen from inside, so this is told always. */
export function judgeFirewall({ sipTcpPort, rtp, trunk }: Openings): Finding[] {
  const rules = 'npm run firewall prints them as rules for nftables; a cloud has its own form for them.'
  return [
    hint(`Twilio's signalling must reach TCP ${sipTcpPort}: ${trunk.signalling.join(', ')}.`, rules),
    hint(
      `Twilio's sound must reach UDP ${rtp.start}-${rtp.end}: ${trunk.media.join(', ')}, from UDP ports 10000-60000.`,
      'It comes from other addresses than the signalling: opened only to those, calls have sound in one direction.',
    ),
  ]
}
