import { Worker } from 'node:worker_threads'
import { GatewayError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { Conversion } from './convert.ts'
import type { Converted } from './convert-thread.ts'

/** In a thread of the lowest priority, for a call is never to wait for it. Tells the bytes of what it has made. */
export function convertAside(conversion: Conversion, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const thread = new Worker(new URL('./convert-thread.ts', import.meta.url), {
    name: 'convert',
    workerData: conversion,
    resourceLimits: { maxOldGenerationSizeMb: limits.recording.convert.heapMb },
  })
  const stop = () => void thread.terminate()
  signal.addEventListener('abort', stop)
  thread.on('message', (message: Converted) => {
    if (message.kind === 'converted') resolve(message.bytes)
    else reject(failure(message.why, message.retryable))
  })
  thread.on('error', error => reject(failure(`the thread that converts failed (${error.name})`, true)))
  thread.on('exit', code => {
    signal.removeEventListener('abort', stop)
    reject(failure(`the thread that converts ended (code ${code})`, true))
  })
  return promise
}

function failure(why: string, retryable: boolean): GatewayError {
  return new GatewayError('SOUND_UNREADABLE', why, { retryable })
}
