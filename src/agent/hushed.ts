import type { AudioSink, FrameKind } from '../media/audio.ts'
import { SILENCE } from '../media/audio.ts'

/** A listener that hears silence as long as it is to: its time goes on, and it knows of no hole in it. */
export function hushed(sink: AudioSink, isHushed: () => boolean): AudioSink {
  const { format } = sink
  let silence: Uint8Array | Int16Array = new Uint8Array(0)
  const silenceLike = (frame: Uint8Array | Int16Array) => {
    if (silence.length === frame.length) return silence
    silence =
      format.encoding === 'pcm16'
        ? new Int16Array(frame.length)
        : new Uint8Array(frame.length).fill(SILENCE[format.encoding])
    return silence
  }
  return {
    format,
    write(frame: Uint8Array | Int16Array, mediaTimeMs: number, kind: FrameKind) {
      if (isHushed()) sink.write(silenceLike(frame), mediaTimeMs, 'missing')
      else sink.write(frame, mediaTimeMs, kind)
    },
  }
}
