import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { briefing } from '../../src/agent/briefing.ts'
import { readBusiness } from '../../src/business.ts'
import { nothingKnown } from '../../src/call/caller-context.ts'

const defaults = { name: 'Test', phone: undefined, ownerPhone: undefined, engine: 'realtime' } as const
const example = readBusiness({ ...defaults, file: join(import.meta.dirname, '../../business.example.yaml') })
const bare = readBusiness({ ...defaults, file: undefined })

describe('what a model is told of a business', () => {
  it('begins with its own instructions, and holds what callers ask for', () => {
    const text = briefing(example, nothingKnown)
    expect(text).toMatch(/^You are the receptionist of a dental practice\./)
    for (const told of [
      'for Harbour Dental',
      `"${example.greeting}" Do not greet again`,
      'American English',
      'Address: 12 Harbour Street, Springfield',
      'Opening hours (America/New_York)',
      '- monday: 09:00 to 12:00, 13:00 to 17:00',
      '- sunday: closed',
      '- Check-up: 30 minutes, 80 dollars',
      '- Cleaning: 45 minutes\n',
      'reception',
    ]) {
      expect(text).toContain(told)
    }
  })

  it('names people, and no address of theirs: who is called is nobody’s choice in the call', () => {
    for (const { address } of example.destinations) expect(briefing(example, nothingKnown)).not.toContain(address)
    for (const number of [...example.numbers, example.notify.phone])
      expect(briefing(example, nothingKnown)).not.toContain(number)
  })

  it('says nothing of what it has not been told', () => {
    const text = briefing(bare, nothingKnown)
    expect(text).toMatch(/^You speak on the telephone for Test\./)
    expect(text).not.toMatch(/Address|Opening hours|Services|undefined|here there are/)
  })
})
