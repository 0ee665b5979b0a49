import { Predictor } from './prediction.ts'
import { SelfSimilarity, sumOfProducts } from './self-similarity.ts'
import { Spectrum } from './spectrum.ts'
import { VOICE_BAND_RATE, VoiceBand } from './voice-band.ts'

/** Sound is judged in hops of 10 ms. */
export const HOP_SAMPLES = 80

/** The last 20 ms are compared with what was there one pitch period earlier. */
const COMPARED = 80
/** The pitch of voices, 400 to 70 Hz, as periods. */
const SHORTEST_PERIOD = VOICE_BAND_RATE / 400
const LONGEST_PERIOD = Math.floor(VOICE_BAND_RATE / 70)
const PERIODS = LONGEST_PERIOD - SHORTEST_PERIOD + 1

/** Four taps for two tones and one for the slope of the spectrum, learnt from 25 ms. */
const PREDICTOR_ORDER = 5
const PREDICTOR_SAMPLES = 100
/** A residue with less than this share of the energy is what a predictor leaves of tones, and no evidence. */
const RESIDUE_SHARE = 0.01

/** How much noise, and its residue, resembles itself one period later by chance. */
const SIMILARITY = 0.5
const RESIDUE_SIMILARITY = 0.15
/** No hop counts for more: two clicks resemble each other perfectly, a voice does so for longer. */
const MOST_GAIN = 0.25
const MOST_EVIDENCE = 0.75
/** From hop to hop: what chance adds fades. */
const EVIDENCE_KEPT = 0.8
/** What is enough if the spectrum is clearly a voice's, where no other sound was seen to reach 0.27, and if it may be one. */
const CLEAR_EVIDENCE = 0.32
const ENOUGH_EVIDENCE = 0.52

const SPECTRUM_SAMPLES = 192
const CLEAR_PEAK_DB = 20
const LEAST_PEAK_DB = 17
/** A third peak that is nearly as strong as the first needs no quiet between them. */
const STRONG_PEAK_DB = 8
/** So far below the first one, G.711 makes peaks of its own. */
const DISTORTION_DB = 30

/** Below about -60 dBFS there is nothing to judge; 7 dB below the loudest of late, or falling fast, is an echo of it. */
const QUIET = 600 * COMPARED
const FADED_SHARE = 0.2
const FALLING_SHARE = 0.5
const LOUDEST_KEPT = 0.9

/**
 * How sure it is that a human voice sounds: it resembles itself one pitch period later, for several hops in a row, with a
 * pitch that moves slowly. Noise does not. Tones, hum and slammed doors do; so the same must hold for what a short linear
 * prediction leaves of the sound, it must not be dying away, and its spectrum must show more than two tones.
 */
export class Voicing {
  readonly #band = new VoiceBand(SPECTRUM_SAMPLES, HOP_SAMPLES)
  readonly #predictor = new Predictor(PREDICTOR_ORDER, PREDICTOR_SAMPLES)
  readonly #residue = new Float64Array(COMPARED + LONGEST_PERIOD)
  readonly #sound = new SelfSimilarity(COMPARED, LONGEST_PERIOD)
  readonly #unforeseen = new SelfSimilarity(COMPARED, LONGEST_PERIOD)
  readonly #spectrum = new Spectrum(SPECTRUM_SAMPLES)
  /** For each pitch period; one more at either end stays zero. */
  readonly #evidence = new Float64Array(PERIODS + 2)
  readonly #before = new Float64Array(PERIODS + 2)
  #most = 0
  #energy = 0
  #energyBefore = 0
  #loudest = 0

  /** For the pitch that has most of it: 0 for none, 0.75 at most. */
  get evidence(): number {
    return this.#most
  }

  hear(hop: Int16Array): void {
    const energyBefore = this.#energyBefore
    this.skip(hop)
    const energy = this.#energy
    if (energy < energyBefore * FALLING_SHARE) return
    if (energy < QUIET || energy < this.#loudest * FADED_SHARE) this.forget()
    else this.#judge(energy)
  }

  /** Takes a hop in without judging it: what was made up to fill a gap says nothing about a voice. */
  skip(hop: Int16Array): void {
    this.#band.push(hop)
    const { signal } = this.#band
    const from = signal.length - COMPARED
    this.#energyBefore = this.#energy
    this.#energy = sumOfProducts(signal, from, signal, from, COMPARED)
    this.#loudest = Math.max(this.#loudest * LOUDEST_KEPT, this.#energy)
  }

  forget(): void {
    this.#evidence.fill(0)
    this.#most = 0
  }

  /** A closer look, worth its time only when there is evidence. Evidence that fails it is halved. */
  isVoice(): boolean {
    if (this.#most <= CLEAR_EVIDENCE || this.#energy < 0.5 * this.#loudest) return false
    this.#spectrum.look(this.#band.signal)
    const { thirdOverRestDb, thirdBelowFirstDb } = this.#spectrum
    const tones =
      thirdBelowFirstDb > DISTORTION_DB || (thirdOverRestDb < LEAST_PEAK_DB && thirdBelowFirstDb > STRONG_PEAK_DB)
    if (tones) {
      for (let i = 1; i <= PERIODS; i++) this.#evidence[i]! /= 2
      this.#most /= 2
      return false
    }
    return thirdOverRestDb >= CLEAR_PEAK_DB || this.#most > ENOUGH_EVIDENCE
  }

  /** Adds up, for each pitch period, what speaks for it now and what spoke for it or its neighbours until now. */
  #judge(energy: number): void {
    const evidence = this.#evidence
    const before = this.#before
    before.set(evidence)
    this.#sound.look(this.#band.signal, 1)
    let predicted = false
    this.#most = 0
    for (let i = 1, period = SHORTEST_PERIOD; i <= PERIODS; i++, period++) {
      let gain = this.#sound.at(period) - SIMILARITY
      if (gain > 0) {
        // Mostly it is not, and prediction need not be tried.
        if (!predicted) this.#predict(energy)
        predicted = true
        gain = Math.min(gain, this.#unforeseen.at(period) - RESIDUE_SIMILARITY, MOST_GAIN)
      }
      const until = Math.max(before[i - 1]!, before[i]!, before[i + 1]!)
      const sum = Math.min(MOST_EVIDENCE, Math.max(0, until * EVIDENCE_KEPT + gain))
      evidence[i] = sum
      if (sum > this.#most) this.#most = sum
    }
  }

  #predict(energy: number): void {
    this.#predictor.findResidue(this.#band.signal, this.#residue)
    this.#unforeseen.look(this.#residue, RESIDUE_SHARE * energy + 1)
  }
}
