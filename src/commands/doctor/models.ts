import { limits } from '../../limits.ts'
import { retirements } from '../../providers/openai/models.ts'
import { type Finding, findingsOf } from './finding.ts'
import { type ListedModel, ownAddress } from './openai.ts'

const { ok, warning, error } = findingsOf('models')
const DAY_MS = 86_400_000

interface Models {
  /** The setting and the name it has. */
  readonly chosen: ReadonlyMap<string, string>
  readonly baseUrl: string
  /** What the server offers, when it was asked and told. */
  readonly listed: readonly ListedModel[] | undefined
  readonly nowMs: number
}

export function judgeModels({ chosen, baseUrl, listed, nowMs }: Models): Finding[] {
  return [...chosen].map(([setting, model]) => {
    const offered = listed?.find(({ id }) => id === model)
    if (listed && !offered) {
      const words = `${baseUrl} does not offer ${model} (${setting}) to this key.`
      // A server of another make speaks with callers and may know nothing else.
      return baseUrl === ownAddress || setting === 'OPENAI_REALTIME_MODEL'
        ? error(words, `Set ${setting} to a model it offers.`)
        : warning(
            words,
            `Set ${setting} to a model it offers, or have it done by what is built in: ${instead(setting)}.`,
          )
    }
    // Another server's model may have the same name, and ends when its owner wants.
    const known = baseUrl === ownAddress ? retirements.find(each => each.model === model) : undefined
    const date = offered?.shutdownDate ?? known?.date
    const remedy = `Set ${setting} to ${known?.successor ?? 'its successor'} before.`
    return judgeDate(`${model} (${setting})`, date, nowMs, remedy)
  })
}

function instead(setting: string): string {
  return `${setting === 'OPENAI_SUMMARY_MODEL' ? 'SUMMARIZER' : 'TRANSCRIBER'}=built-in`
}

function judgeDate(what: string, date: string | undefined, nowMs: number, remedy: string): Finding {
  const days = date === undefined ? Number.NaN : Math.ceil((Date.parse(date) - nowMs) / DAY_MS)
  if (Number.isNaN(days)) return ok(`No end of ${what} is announced.`)
  if (days <= 0) return error(`${what} was retired on ${date}.`, remedy.replace(' before.', '.'))
  if (days > limits.doctor.retirementDays) return ok(`${what} serves until ${date}.`)
  return warning(`${what} is retired on ${date}, in ${days} days.`, remedy)
}
