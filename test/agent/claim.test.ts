import { describe, expect, it } from 'vitest'
import { answered, claimAfter, isDue, NO_CLAIM } from '../../src/agent/claim.ts'

type ClaimEvent = Parameters<typeof claimAfter>[1]

const INTERRUPT_MS = 500
const after = (...events: ClaimEvent[]) => events.reduce(claimAfter, NO_CLAIM)
const voice = (fromMs: number, toMs: number): ClaimEvent[] => [
  { kind: 'speechStarted', atMs: fromMs },
  { kind: 'speechStopped', atMs: toMs },
]
const committed: ClaimEvent = { kind: 'committed' }
const words = (startMs: number, text = 'yes'): ClaimEvent => ({ kind: 'words', text, startMs })
const due = (...events: ClaimEvent[]) => isDue(after(...events), INTERRUPT_MS)

describe('what the caller has said wants a reply', () => {
  it.each<[string, ClaimEvent[], boolean]>([
    ['a long voice, once it is whole', [...voice(0, 500), committed], true],
    ['not before it is', voice(0, 500), false],
    ['no cough', [...voice(0, 300), committed], false],
    ['nor two of them', [...voice(0, 300), committed, ...voice(400, 700), committed], false],
    ['a short word, once it is understood', [...voice(0, 300), committed, words(0)], true],
    ['or understood before it is whole', [...voice(0, 300), words(0), committed], true],
    ['no word without a letter', [...voice(0, 300), committed, words(0, ' ')], false],
    ['not while a voice goes on', [...voice(0, 300), committed, { kind: 'speechStarted', atMs: 900 }, words(0)], false],
    ['with all that was said before', [...voice(0, 900), committed, ...voice(950, 1_000), committed], true],
  ])('%s', (_, events, expected) => {
    expect(due(...events)).toBe(expected)
  })

  it('is not wanted twice: words for what has been answered come late', () => {
    const replied = answered(after(...voice(0, 900), committed))
    const cough = [...voice(3_000, 3_200), committed].reduce(claimAfter, claimAfter(replied, words(0)))
    expect(isDue(cough, INTERRUPT_MS)).toBe(false)
    expect(isDue(claimAfter(cough, words(3_000)), INTERRUPT_MS)).toBe(true)
  })
})
