import { systemClock } from '../../clock.ts'
import { readConfig } from '../../config.ts'
import { type Environment, readEnvFile } from '../../environment.ts'
import { asError } from '../../errors.ts'
import { judgeAri, lookAtAri } from './ari.ts'
import type { Asked } from './ask.ts'
import { judgeAsterisk, lookAtAsterisk } from './asterisk.ts'
import { judgeDisk, lookAtDisk } from './disk.ts'
import type { Finding } from './finding.ts'
import { judgeFirewall, lookAtFirewall } from './firewall.ts'
import { judgeGateway, lookAtGateway } from './gateway.ts'
import { judgeModels } from './models.ts'
import { judgeNetwork, lookAtNetwork } from './network.ts'
import { judgeOpenAi, lookAtOpenAi, modelsIn } from './openai.ts'
import { judgePorts, lookAtPorts } from './ports.ts'
import { judgeRtp, lookAtRtp } from './rtp.ts'
import { lookAtOurs, type Scene } from './scene.ts'
import { judgeSettings, lookAtSettings, refusedSettings } from './settings.ts'
import { isSynchronised, judgeTime, watchClocks } from './time.ts'
import { judgeTwilio, lookAtTwilio } from './twilio.ts'

/** All that the doctor finds. It changes nothing, and needs no Parley that runs. */
export async function examine(directory: string, environment: Environment): Promise<Finding[]> {
  const stepMs = watchClocks(systemClock)
  const config = settingsOf(directory, environment)
  if (typeof config === 'string') return refusedSettings(config)
  const scene: Scene = { directory, environment, config, ours: await lookAtOurs(config) }
  const [gateway, ports, asterisk, ari, openAi, twilio, network, synchronised] = await Promise.all([
    lookAtGateway(scene),
    lookAtPorts(scene),
    lookAtAsterisk(scene),
    lookAtAri(scene),
    lookAtOpenAi(scene),
    lookAtTwilio(scene),
    lookAtNetwork(scene),
    isSynchronised(),
  ])
  const usesOpenAi = openAi.models !== undefined
  return [
    ...judgeSettings(lookAtSettings(scene)),
    ...judgeGateway(gateway),
    ...judgePorts(ports, scene.ours),
    ...(asterisk ? judgeAsterisk(asterisk) : []),
    ...judgeAri(ari),
    ...judgeRtp(lookAtRtp(scene)),
    ...judgeNetwork(network),
    ...judgeFirewall(lookAtFirewall(scene)),
    ...judgeOpenAi(openAi),
    ...judgeModels({
      chosen: new Map(usesOpenAi ? [['OPENAI_REALTIME_MODEL', config.openai.realtimeModel]] : []),
      baseUrl: openAi.baseUrl,
      listed: modelsIn(openAi.models),
      nowMs: systemClock.wallMs(),
    }),
    ...judgeTwilio(twilio),
    ...judgeDisk(lookAtDisk(scene)),
    ...judgeTime({
      stepMs: stepMs(),
      synchronised,
      skewsMs: skewsOf({
        [openAi.baseUrl]: openAi.models,
        [config.twilio.baseUrl]: twilio.account ?? twilio.numbers,
      }),
    }),
  ]
}

/** The problem, in words, when they are wrong. */
function settingsOf(directory: string, environment: Environment) {
  try {
    return readConfig({ ...readEnvFile(directory).values, ...environment })
  } catch (thrown) {
    return asError(thrown).message
  }
}

function skewsOf(asked: Readonly<Record<string, Asked | undefined>>): Map<string, number> {
  return new Map(
    Object.entries(asked).flatMap(([server, answer]) =>
      answer && 'skewMs' in answer && answer.skewMs !== undefined ? [[server, answer.skewMs] as const] : [],
    ),
  )
}
