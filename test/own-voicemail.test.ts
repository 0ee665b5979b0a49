import { expect, it } from 'vitest'
import type { CallFact } from '../src/call/events.ts'
import type { CallAtDoor } from '../src/call/exchange.ts'
import type { LiveCall } from '../src/call/ports.ts'
import type { Surroundings } from '../src/own-asterisk.ts'
import { ownVoicemail } from '../src/own-voicemail.ts'
import { Scope } from '../src/scope.ts'

const asked: CallFact = { name: 'messageAsked', by: 'closed' }
const left = (ended: 'key' | 'cut'): CallFact => ({
  ...{ name: 'voicemailLeft', seconds: 3, by: 'closed', ended },
  private: { recording: 'r', callerNumber: undefined },
})

it.each([
  ['had not been asked is with the agent', [], 'agent'],
  ['was being asked is asked once more', [asked], 'asked'],
  ['had left it is thanked for nothing more', [asked, left('key')], 'over'],
  // Which is told by the second life, that was killed, too.
  ['had it cut off twice is asked once more', [asked, asked, left('cut')], 'asked'],
  ['had it cut off, and left it then, is thanked for nothing more', [asked, asked, left('cut'), left('key')], 'over'],
] as const)('whoever %s when a gateway takes their call over', async (_, facts, expected) => {
  const scope = new Scope('test', () => {})
  const parts = { state: { path: '/nowhere' } } as unknown as Parameters<typeof ownVoicemail>[1]
  const { serving } = ownVoicemail({ config: {}, handlers: {} } as unknown as Surroundings, parts)
  const earlier = facts.map(fact => ({ call: 'c', business: 'b', atMs: 0, fact }))
  const handler = serving.instead({ earlier } as unknown as CallAtDoor)
  // Nothing can be recorded here: whoever is to be asked is handed back.
  const call = { answer: async () => {} } as unknown as LiveCall
  const outcome = await handler?.(call, scope)
  expect(outcome?.kind).toBe({ agent: undefined, asked: 'handBack', over: 'hangup' }[expected])
})
