import { systemClock } from '../../clock.ts'
import { type Config, loadConfig, loadConfigAndBusiness, readConfig } from '../../config.ts'
import { type Environment, readEnvFile } from '../../environment.ts'
import { judgeAri, lookAtAri } from './ari.ts'
import type { Asked } from './ask.ts'
import { judgeAsterisk, lookAtAsterisk } from './asterisk.ts'
import { judgeDestinations, lookAtDestinations } from './destinations.ts'
import { digestModels, judgeDigests, lookAtDigests } from './digests.ts'
import { judgeDisk, lookAtDisk } from './disk.ts'
import { type Finding, judged, looked } from './finding.ts'
import { judgeFirewall, lookAtFirewall } from './firewall.ts'
import { judgeGateway, lookAtGateway } from './gateway.ts'
import { judgeHooks, lookAtHooks } from './hooks.ts'
import { judgeJobs, lookAtJobs } from './jobs.ts'
import { judgeModels } from './models.ts'
import { judgeNetwork, lookAtNetwork } from './network.ts'
import { judgeOpenAi, lookAtOpenAi, modelsIn } from './openai.ts'
import { judgePorts, lookAtPorts } from './ports.ts'
import { judgeRecordings, lookAtRecordings } from './recordings.ts'
import { judgeRtp, lookAtRtp } from './rtp.ts'
import { lookAtOurs, nobodysOurs, type Scene } from './scene.ts'
import { judgeSettings, lookAtSettings, problemOf, refusedSettings } from './settings.ts'
import { isSynchronised, judgeTime, watchClocks } from './time.ts'
import { judgeTwilio, lookAtTwilio } from './twilio.ts'

/** All that the doctor finds. It changes nothing, and needs no Parley that runs. */
export async function examine(directory: string, environment: Environment): Promise<Finding[]> {
  const stepMs = watchClocks(systemClock)
  const config = settingsOf(directory, environment)
  if (typeof config === 'string') return refusedSettings(config)
  const ours = await looked('gateway', () => lookAtOurs(config))
  const scene: Scene = { directory, environment, config, ours: ours.seen ?? nobodysOurs }
  const [gateway, ports, asterisk, ari, rtp, openAi, twilio, network, destinations, digests, jobs, synchronised] =
    await Promise.all([
      looked('gateway', () => lookAtGateway(scene)),
      looked('ports', () => lookAtPorts(scene)),
      looked('asterisk', () => lookAtAsterisk(scene)),
      looked('ari', () => lookAtAri(scene)),
      looked('rtp', () => lookAtRtp(scene)),
      lookAtOpenAi(scene),
      lookAtTwilio(scene),
      looked('network', () => lookAtNetwork(scene)),
      looked('destinations', () => lookAtDestinations(scene)),
      looked('digests', () => lookAtDigests(scene)),
      looked('jobs', () => lookAtJobs(scene)),
      isSynchronised(),
    ])
  const usesOpenAi = openAi.models !== undefined
  return [
    ...judged(await looked('settings', () => lookAtSettings(scene)), judgeSettings),
    ...(ours.unseen ?? judged(gateway, judgeGateway)),
    ...judged(ports, seen => judgePorts(seen, scene.ours)),
    ...judged(asterisk, seen => (seen ? judgeAsterisk(seen) : [])),
    ...judged(ari, judgeAri),
    ...judged(rtp, judgeRtp),
    ...judged(network, judgeNetwork),
    ...judged(destinations, judgeDestinations),
    ...judged(await looked('firewall', () => lookAtFirewall(scene)), judgeFirewall),
    ...judgeOpenAi(openAi),
    ...judgeModels({
      chosen: new Map(
        usesOpenAi ? [['OPENAI_REALTIME_MODEL', config.openai.realtimeModel], ...digestModels(config)] : [],
      ),
      baseUrl: openAi.baseUrl,
      listed: modelsIn(openAi.models),
      nowMs: systemClock.wallMs(),
    }),
    ...judgeTwilio(twilio),
    ...judged(await looked('disk', () => lookAtDisk(scene)), judgeDisk),
    ...judged(await looked('recordings', () => lookAtRecordings(scene)), judgeRecordings),
    ...judged(digests, judgeDigests),
    ...judged(await looked('hooks', () => lookAtHooks(scene)), judgeHooks),
    ...judged(jobs, judgeJobs),
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
function settingsOf(directory: string, environment: Environment): Config | string {
  try {
    // One that this user may not read is told with the settings, and everything else is looked at by the rest of them.
    if (readEnvFile(directory).unreadable) return readConfig(environment)
    return loadConfig(directory, environment).config
  } catch {
    return problemOf(() => loadConfigAndBusiness(directory, environment)) ?? ''
  }
}

function skewsOf(asked: Readonly<Record<string, Asked | undefined>>): Map<string, number> {
  return new Map(
    Object.entries(asked).flatMap(([server, answer]) =>
      answer && 'skewMs' in answer && answer.skewMs !== undefined ? [[server, answer.skewMs] as const] : [],
    ),
  )
}
