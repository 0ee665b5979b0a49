import type { CallFact } from '../call/events.ts'
import type { Heard } from '../call/ports.ts'
import { asError, GatewayError } from '../errors.ts'

export function heardOfAgent({ ms, complete, text }: Heard): CallFact {
  return { name: 'agentSpoke', ms: Math.round(ms), complete, private: { text: text.trim() } }
}

/** Only our own errors are told in their own words: a vendor's may hold what the caller said. */
export function degraded(error: unknown): CallFact {
  if (error instanceof GatewayError) return { name: 'degraded', code: error.code, detail: error.message }
  return { name: 'degraded', code: 'ENGINE_FAILED', detail: `A part of the engine failed: ${asError(error).name}.` }
}
