import { createReadStream } from 'node:fs'
import { decode } from '../media/g711.ts'
import { VoiceActivity } from '../media/voice-activity.ts'
import { readAu } from './au.ts'

/** What is judged within one turn of the loop: a second. */
const PIECE_BYTES = 8_000
const BYTES_PER_MS = 8

/** For how long somebody speaks in a message as it was recorded, judged as while it is left. */
export async function voicedMs(path: string): Promise<number> {
  const file = await readAu(path).catch(() => undefined)
  if (!file) return 0
  let heardMs = 0
  let voicedMs = 0
  let sinceMs: number | undefined
  const activity = new VoiceActivity(({ kind, atMs }) => {
    if (kind === 'voiceStarted') sinceMs = Math.max(0, atMs)
    else if (sinceMs !== undefined) {
      voicedMs += atMs - sinceMs
      sinceMs = undefined
    }
  })
  const from = { start: file.dataAt, highWaterMark: PIECE_BYTES }
  for await (const bytes of createReadStream(path, from) as AsyncIterable<Buffer>) {
    const samples = new Int16Array(bytes.length)
    decode(file.law, bytes, samples)
    activity.write(samples, heardMs, 'heard')
    heardMs += bytes.length / BYTES_PER_MS
  }
  // Who was cut off in the middle of a word has said it.
  return sinceMs === undefined ? voicedMs : voicedMs + heardMs - sinceMs
}
