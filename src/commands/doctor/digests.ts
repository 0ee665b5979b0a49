import type { Business } from '../../business.ts'
import { systemClock } from '../../clock.ts'
import type { Config } from '../../config.ts'
import { findSpeechPrograms } from '../../providers/local/programs.ts'
import { httpAddress } from '../../providers/openai/address.ts'
import { businessesOf } from './destinations.ts'
import { type Finding, findingsOf } from './finding.ts'
import { ownAddress } from './openai.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning } = findingsOf('digests')

interface Digests {
  readonly digests: Config['digests']
  /** Of OpenAI, or of a server in its place. */
  readonly baseUrl: string
  /** It could be asked: a key is set, or a server that may want none. */
  readonly reachable: boolean
  /** What is built in writes down with it; nothing is fetched to look. */
  readonly hasSpeechPrograms: boolean
  readonly businesses: readonly Pick<Business, 'id' | 'language' | 'digests' | 'answers'>[]
}

export async function lookAtDigests(scene: Scene): Promise<Digests> {
  const { config, environment } = scene
  const { digests, openai, speechCache } = config
  const baseUrl = httpAddress(openai.baseUrl)
  const options = { cacheDirectory: speechCache, environment, clock: systemClock }
  return {
    ...{ digests, baseUrl, reachable: openai.apiKey !== undefined || baseUrl !== ownAddress },
    hasSpeechPrograms: digests.transcriber === 'built-in' && (await findSpeechPrograms(options)) !== undefined,
    businesses: businessesOf(scene),
  }
}

/** Of OpenAI's that are used after calls: the setting, and the name it has. */
export function digestModels({ digests }: Pick<Config, 'digests'>): [string, string][] {
  const { transcriber, summarizer, transcriptionModel, summaryModel } = digests
  return [
    ...(transcriber === 'openai' ? [['OPENAI_TRANSCRIPTION_MODEL', transcriptionModel] as [string, string]] : []),
    ...(summarizer === 'openai' ? [['OPENAI_SUMMARY_MODEL', summaryModel] as [string, string]] : []),
  ]
}

export function judgeDigests(seen: Digests): Finding[] {
  return [...judgeTranscriber(seen), judgeSummarizer(seen), ...judgeAnswers(seen)]
}

const byKey = 'Set OPENAI_API_KEY, and OpenAI does it; or leave it so.'

function judgeTranscriber(seen: Digests): Finding[] {
  const { digests, baseUrl, reachable, businesses, hasSpeechPrograms } = seen
  if (digests.transcriber === 'none') return [ok('Messages are not written down (TRANSCRIBER=none).')]
  if (digests.transcriber === 'openai') {
    return [ok(`Messages are written down by ${digests.transcriptionModel} at ${baseUrl}.`)]
  }
  const words = 'Messages are written down by what is built in, as far as it was understood'
  const findings = [
    reachable ? ok(`${words} (TRANSCRIBER=built-in).`) : hint(`${words}: OPENAI_API_KEY is not set.`, byKey),
  ]
  if (!hasSpeechPrograms) {
    findings.push(
      hint(
        'The speech software for that is not here yet.',
        "The first need of it fetches Debian's packages, about 75 MB; nothing is installed on the machine.",
      ),
    )
  }
  const foreign = businesses.filter(({ language, digests }) => digests.transcribe && !language.startsWith('en'))
  for (const { id, language } of foreign) {
    findings.push(
      warning(
        `Messages to ${id} are not written down: what is built in knows English alone, and it has ${language}.`,
        'Set OPENAI_API_KEY and leave TRANSCRIBER out, or set digests.transcribe of the business to false.',
      ),
    )
  }
  return findings
}

function judgeSummarizer({ digests, baseUrl, reachable }: Digests): Finding {
  if (digests.summarizer === 'none') return ok('Calls are not told in short (SUMMARIZER=none).')
  if (digests.summarizer === 'openai') return ok(`Calls are told in short by ${digests.summaryModel} at ${baseUrl}.`)
  const words = "Calls are told in short by what is built in, in the caller's own sentences"
  return reachable ? ok(`${words} (SUMMARIZER=built-in).`) : hint(`${words}: OPENAI_API_KEY is not set.`, byKey)
}

/** An answer is made of what was written down. */
function judgeAnswers({ digests, businesses }: Digests): Finding[] {
  const off = (['transcriber', 'summarizer'] as const)
    .filter(each => digests[each] === 'none')
    .map(each => `${each.toUpperCase()}=none`)
  return businesses.flatMap(({ id, answers, digests: wanted }) => {
    const reasons = [...off, ...(wanted.transcribe ? [] : ['digests.transcribe is false'])]
    if (!answers.enabled || reasons.length === 0) return []
    const words = `${id} is to answer callers who were recorded (answers.enabled), and never does: ${reasons.join(', ')}.`
    return [warning(words, 'Leave that out, or set answers.enabled to false.')]
  })
}
