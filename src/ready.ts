import { engineTitles } from './business.ts'
import type { Config } from './config.ts'

const TRY = 'npm run call -- "I would like an appointment tomorrow at three"'

/** What a person sees when calls are taken: one line that programs wait for, and where to go from here. */
export function readyScreen(config: Pick<Config, 'sip' | 'externalAddress' | 'engine'>, httpAddress: string): string {
  const { sip, externalAddress } = config
  const title = engineTitles[config.engine]
  const sipAddress = (host: string) => `sip:${sip.user}@${host}:${sip.tcpPort};transport=tcp`
  const rows = [
    ['SIP', sipAddress('127.0.0.1')],
    ...(externalAddress === undefined ? [] : [['outside', sipAddress(externalAddress)]]),
    ['API', `${httpAddress}/v1/calls`],
    ['engine', title],
    ['try', TRY],
  ]
  return [
    `parley ready: call ${sipAddress('127.0.0.1')}, API at ${httpAddress}, engine ${title}`,
    '',
    ...rows.map(([name = '', value]) => `  ${name.padEnd(9)}${value}`),
    '',
  ].join('\n')
}
