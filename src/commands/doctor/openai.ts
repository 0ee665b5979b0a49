import { httpAddress } from '../../providers/openai/address.ts'
import { type Asked, ask } from './ask.ts'
import { type Finding, findingsOf } from './finding.ts'
import type { Scene } from './scene.ts'

const { ok, hint, warning, error } = findingsOf('openai')
export const ownAddress = 'https://api.openai.com'

interface OpenAi {
  readonly baseUrl: string
  /** `unusable`: characters that no key has. */
  readonly key: 'none' | 'unusable' | 'unlikely' | 'given'
  /** Of GET /v1/models; undefined when nobody was asked. */
  readonly models: Asked | undefined
}

export async function lookAtOpenAi({ config }: Scene): Promise<OpenAi> {
  const { apiKey } = config.openai
  const baseUrl = httpAddress(config.openai.baseUrl)
  const key = keyKind(apiKey?.reveal(), baseUrl)
  // A server of one's own may want no key.
  const asked = key === 'given' || key === 'unlikely' || (key === 'none' && baseUrl !== ownAddress)
  const headers = apiKey && { authorization: `Bearer ${apiKey.reveal()}` }
  return { baseUrl, key, models: asked ? await ask(`${baseUrl}/v1/models`, headers) : undefined }
}

function keyKind(key: string | undefined, baseUrl: string): OpenAi['key'] {
  if (key === undefined) return 'none'
  if (!/^[\x21-\x7e]+$/.test(key)) return 'unusable'
  return baseUrl === ownAddress && !key.startsWith('sk-') ? 'unlikely' : 'given'
}

export function judgeOpenAi({ baseUrl, key, models }: OpenAi): Finding[] {
  if (key === 'unusable') {
    return [error('OPENAI_API_KEY holds characters that no key has.', 'Copy it again, without blanks or line ends.')]
  }
  if (models === undefined) {
    return [hint('OPENAI_API_KEY is not set.', 'It is needed by the engines that speak with OpenAI alone.')]
  }
  const unlikely =
    key === 'unlikely' ? [warning('OPENAI_API_KEY does not begin with sk-.', 'Check that it is a key of OpenAI.')] : []
  if (key === 'none' && 'status' in models && models.status === 401) {
    return [error(`${baseUrl} wants a key (401).`, 'Set OPENAI_API_KEY.')]
  }
  return [...unlikely, judgeAnswer(baseUrl, models)]
}

function judgeAnswer(baseUrl: string, models: Asked): Finding {
  if ('unreachable' in models) {
    return warning(
      `${baseUrl} could not be reached (${models.unreachable}), so the key was not tried.`,
      'Let this machine out to it, or check OPENAI_BASE_URL; calls of such an engine would fail.',
    )
  }
  const { status } = models
  if (status === 401) return error(`${baseUrl} refuses the key (401).`, 'Set OPENAI_API_KEY to a key that is in force.')
  if (status === 403) {
    return error(
      `${baseUrl} knows the key but lets it do nothing here (403).`,
      'Give the key the right to list models, or look whether this region or project is barred.',
    )
  }
  if (status === 429) {
    return warning(`${baseUrl} takes no more requests for now (429).`, "Check the account's limits and credit.")
  }
  if (status >= 500) return warning(`${baseUrl} is in trouble itself (${status}).`, 'Try again later.')
  if (status !== 200 || modelsIn(models) === undefined) {
    return warning(`What answers at ${baseUrl} does not list models (${status}).`, 'Check OPENAI_BASE_URL.')
  }
  return ok(`${baseUrl} accepts it and lists ${modelsIn(models)?.length} models.`)
}

export interface ListedModel {
  readonly id: string
  readonly shutdownDate: string | undefined
}

/** Undefined unless it is a list of models. */
export function modelsIn(asked: Asked | undefined): ListedModel[] | undefined {
  if (!asked || 'unreachable' in asked || asked.status !== 200) return undefined
  const data = (asked.body as { data?: unknown } | undefined)?.data
  if (!Array.isArray(data)) return undefined
  return data.flatMap(each => {
    const { id, shutdown_date: date } = each as { id?: unknown; shutdown_date?: unknown }
    return typeof id === 'string' ? [{ id, shutdownDate: typeof date === 'string' ? date : undefined }] : []
  })
}
