import { GatewayError } from '../../errors.ts'

export interface Sound {
  readonly rate: number
  readonly samples: Int16Array
}

/** One channel of 16-bit samples, as the speech programs write it; the sizes in the header are not trusted. */
export function readWav(bytes: Uint8Array): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const tag = (at: number) => String.fromCharCode(...bytes.subarray(at, at + 4))
  let rate = 0
  for (let at = 12; at + 8 <= bytes.length && tag(0) === 'RIFF'; ) {
    const size = view.getUint32(at + 4, true)
    if (tag(at) === 'fmt ' && at + 24 <= bytes.length) rate = view.getUint32(at + 12, true)
    if (tag(at) === 'data' && rate > 0) return { rate, samples: samplesOf(bytes.subarray(at + 8, at + 8 + size)) }
    at += 8 + size + (size & 1)
  }
  throw new GatewayError('ENGINE_FAILED', 'What the speech program wrote is no sound.')
}

function samplesOf(bytes: Uint8Array): Int16Array {
  const whole = bytes.slice(0, bytes.length & ~1)
  return new Int16Array(whole.buffer)
}
