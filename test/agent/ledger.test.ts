import { describe, expect, it } from 'vitest'
import { Ledger } from '../../src/agent/ledger.ts'

describe('the ledger of a reply', () => {
  it('tells ours from the conversant’s', () => {
    const ledger = new Ledger()
    ledger.ended(100)
    ledger.asked(103)
    ledger.begun(140)
    ledger.made(300)
    ledger.made(320)
    expect(ledger.heard(302.5)).toEqual({ askMs: 3, beginMs: 37, makeMs: 160, playMs: 2.5 })
    expect(ledger.heard(400)).toBeUndefined()
  })

  it('knows nothing of what was no reply to a caller, or of one that was interrupted', () => {
    const ledger = new Ledger()
    ledger.begun(10)
    ledger.made(20)
    expect(ledger.heard(30)).toBeUndefined()
    ledger.ended(100)
    ledger.asked(101)
    ledger.begun(102)
    ledger.ended(200)
    ledger.made(210)
    expect(ledger.heard(220)).toBeUndefined()
  })
})
