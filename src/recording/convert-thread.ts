import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { basename } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { asError, GatewayError } from '../errors.ts'
import { type Conversion, convertSound } from './convert.ts'

/** Made for one conversion, which takes what nobody else wants of the machine. */

export type Converted =
  | { readonly kind: 'converted'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly why: string; readonly retryable: boolean }

/** A thread of its own priority: beside Linux it has everybody's. */
function goLast(): void {
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), constants.priority.PRIORITY_LOW)
  } catch {
    // It goes on all the same.
  }
}

async function converted(): Promise<Converted> {
  try {
    return { kind: 'converted', bytes: await convertSound(workerData as Conversion) }
  } catch (error) {
    if (error instanceof GatewayError) return { kind: 'failed', why: error.message, retryable: error.retryable }
    const { code } = Object(error) as { code?: unknown }
    const why = typeof code === 'string' ? code : asError(error).name
    return { kind: 'failed', why: `a sound cannot be converted (${why})`, retryable: true }
  }
}

goLast()
parentPort?.postMessage(await converted())
