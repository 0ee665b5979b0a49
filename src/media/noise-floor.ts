/** It falls with the sound, rises under it within a second, and under a voice much slower. */
const FALL_SHARE = 0.3
const RISE_DB = 0.3
const RISE_UNDER_VOICE_DB = 0.03
/** Sound from the very start may be a voice: more than this is not taken for noise at once. */
const HIGHEST_AT_FIRST_DB = -50
const FULL_SCALE_POWER = 32_768 ** 2 / 2

/** Follows the level of a line's noise, in dBFS, over hops of 10 ms. */
export class NoiseFloor {
  #levelDb: number | undefined

  /** By how much a hop is louder than the noise. */
  overDb(hop: Int16Array, voice: boolean): number {
    let sum = 0
    for (let i = 0; i < hop.length; i++) sum += hop[i]! * hop[i]!
    const hopDb = 10 * Math.log10((sum / hop.length + 1) / FULL_SCALE_POWER)
    this.#levelDb ??= Math.min(hopDb, HIGHEST_AT_FIRST_DB)
    const over = hopDb - this.#levelDb
    this.#levelDb += over < 0 ? over * FALL_SHARE : Math.min(over, voice ? RISE_UNDER_VOICE_DB : RISE_DB)
    return over
  }
}
