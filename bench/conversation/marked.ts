import { FRAME_MS, FRAME_SAMPLES } from '../../src/media/audio.ts'

/** Speech whose every frame says which utterance it belongs to, so that whoever gets the packet can tell. */

const SILENCE = 0xffff_ffff

export function markedAudio(utterance: number, ms: number): Uint8Array {
  const audio = Buffer.alloc((ms / FRAME_MS) * FRAME_SAMPLES, 0x31)
  for (let at = 0; at < audio.length; at += FRAME_SAMPLES) audio.writeUInt32BE(utterance, at)
  return audio
}

/** Nothing for a frame of silence. */
export function utteranceOf(datagram: Buffer, audioStart: number): number | undefined {
  const utterance = datagram.readUInt32BE(audioStart)
  return utterance === SILENCE ? undefined : utterance
}
