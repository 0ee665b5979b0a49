import type { Law } from './audio.ts'
import { encode } from './g711.ts'
import { toneGenerator } from './tone.ts'

/** What a caller hears while it rings at the other end: tones together, on and off in turn (ITU-T E.180). */
export interface RingingTone {
  readonly hz: readonly number[]
  /** Sound, silence, sound, ... of one round. */
  readonly cadenceMs: readonly number[]
}

/** 7219 of 32768 for each tone, as Asterisk plays its own. */
const LEVEL_DB = 20 * Math.log10(7_219 / 32_768)
/** What begins or ends at once clicks. */
export const EDGE_MS = 5
const SAMPLES_PER_MS = 8

const european: RingingTone = { hz: [425], cadenceMs: [1_000, 4_000] }
const double: RingingTone = { hz: [400, 450], cadenceMs: [400, 200, 400, 2_000] }

/** By country: E.180 Supplement 2. Where none is told it is as E.180 recommends it to all. */
const tones: Readonly<Record<string, RingingTone>> = {
  US: { hz: [440, 480], cadenceMs: [2_000, 4_000] },
  CA: { hz: [440, 480], cadenceMs: [2_000, 4_000] },
  GB: double,
  IE: double,
  NZ: double,
  AU: { hz: [400, 425], cadenceMs: [400, 200, 400, 2_000] },
  AT: { hz: [420], cadenceMs: [1_000, 5_000] },
  FR: { hz: [440], cadenceMs: [1_500, 3_500] },
  ES: { hz: [425], cadenceMs: [1_500, 3_000] },
  SE: { hz: [425], cadenceMs: [1_000, 5_000] },
  FI: european,
  BE: { hz: [425], cadenceMs: [1_000, 3_000] },
  PT: { hz: [425], cadenceMs: [1_000, 5_000] },
  JP: { hz: [400], cadenceMs: [1_000, 2_000] },
}

/** Of places whose zone is the whole country's, or nearly; America has too many to be named one by one. */
const countryOfZone: Readonly<Record<string, string>> = {
  'Europe/London': 'GB',
  'Europe/Belfast': 'GB',
  'Europe/Dublin': 'IE',
  'Europe/Vienna': 'AT',
  'Europe/Paris': 'FR',
  'Europe/Madrid': 'ES',
  'Atlantic/Canary': 'ES',
  'Europe/Stockholm': 'SE',
  'Europe/Brussels': 'BE',
  'Europe/Lisbon': 'PT',
  'Asia/Tokyo': 'JP',
  'Pacific/Auckland': 'NZ',
  'Pacific/Honolulu': 'US',
}
const northAmerican =
  /^America\/(New_York|Detroit|Chicago|Menominee|Denver|Boise|Phoenix|Los_Angeles|Anchorage|Juneau|Sitka|Nome|Adak|Metlakatla|Yakutat|Indiana\/.*|Kentucky\/.*|North_Dakota\/.*|Toronto|Montreal|Vancouver|Edmonton|Calgary|Winnipeg|Regina|Halifax|St_Johns|Moncton|Whitehorse|Iqaluit)$/

/** As it rings where the business is, or else where its language is spoken. */
export function ringingToneOf({ timeZone, language }: { timeZone: string; language: string }): RingingTone {
  const country = countryOfZone[timeZone] ?? countryByName(timeZone) ?? language.slice(3)
  return tones[country] ?? european
}

/** Undefined where a zone tells nothing. */
function countryByName(timeZone: string): string | undefined {
  if (northAmerican.test(timeZone)) return 'US'
  if (timeZone.startsWith('Australia/')) return 'AU'
  return timeZone === 'UTC' ? undefined : 'elsewhere'
}

/** One ring, in a line's own law and piece after piece, however long it becomes. */
export class Ring {
  readonly #law: Law
  readonly #waves: readonly ((into: Int16Array) => Int16Array)[]
  #samples = 0

  constructor(law: Law, { hz }: RingingTone) {
    this.#law = law
    this.#waves = hz.map(each => toneGenerator(SAMPLES_PER_MS * 1_000, each, LEVEL_DB))
  }

  next(ms: number): Uint8Array {
    const begun = this.#samples
    return this.#sound(ms, at => Math.min(1, (begun + at) / (EDGE_MS * SAMPLES_PER_MS)))
  }

  /** The last of it, dying away. */
  end(): Uint8Array {
    return this.#sound(EDGE_MS, at => 1 - (at + 1) / (EDGE_MS * SAMPLES_PER_MS))
  }

  #sound(ms: number, loudness: (at: number) => number): Uint8Array {
    const samples = new Int16Array(ms * SAMPLES_PER_MS)
    const waves = this.#waves.map(wave => wave(new Int16Array(samples.length)))
    for (let at = 0; at < samples.length; at++) {
      samples[at] = Math.round(loudness(at) * waves.reduce((sum, wave) => sum + wave[at]!, 0))
    }
    this.#samples += samples.length
    const bytes = new Uint8Array(samples.length)
    encode(this.#law, samples, bytes)
    return bytes
  }
}
