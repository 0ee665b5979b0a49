import { limits } from '../limits.ts'
import type { CallEvent } from './events.ts'

/** What one of both has said, as far as the other has heard it. */
export interface Said {
  readonly who: 'caller' | 'agent'
  readonly text: string
}

/** The last of it, in its order. */
export function lastSaid(events: readonly CallEvent[]): Said[] {
  const said = events.flatMap(({ fact }): Said[] => {
    if (fact.name !== 'callerSpoke' && fact.name !== 'agentSpoke') return []
    return [{ who: fact.name === 'callerSpoke' ? 'caller' : 'agent', text: fact.private.text }]
  })
  return said.slice(-limits.agent.saidBefore)
}
