import { describe, expect, it } from 'vitest'
import type { Business } from '../../src/business.ts'
import { addresseeOf, type Businesses } from '../../src/call/addressee.ts'

const named = (id: string) => ({ id }) as Business
const all = { standard: named('hotel'), dentist: named('dentist'), plumber: named('plumber') }
const businesses: Businesses = {
  standard: all.standard,
  find: id => Object.values(all).find(each => each.id === id),
  withNumber: number => ({ '+15550100200': all.dentist, '+15550100300': all.plumber })[number],
}

function whose(asked: { user?: string; parameters?: Record<string, string>; headers?: Record<string, string> }) {
  const { user = 'bianca', parameters = {}, headers = {} } = asked
  const { business, doubt } = addresseeOf({ calledUser: user, parameters, headers }, businesses)
  return doubt === undefined ? business.id : `${business.id}, in doubt`
}

describe('a call', () => {
  it('is for the standard business when it asks for nobody', () => {
    expect(whose({})).toBe('hotel')
    expect(whose({ parameters: { transport: 'tcp', callSid: 'CA1' }, headers: { 'x-callsid': 'CA1' } })).toBe('hotel')
  })

  it('is for the business that it names, whatever number was called', () => {
    expect(whose({ parameters: { business: 'plumber' } })).toBe('plumber')
    expect(whose({ parameters: { Business: 'plumber', calledNumber: '+15550100200' } })).toBe('plumber')
  })

  it('is for the standard one, with a word in the record, when there is none of that name', () => {
    const parameters = { business: 'baker', calledNumber: '+15550100200' }
    expect(whose({ parameters })).toBe('hotel, in doubt')
    const { doubt } = addresseeOf({ calledUser: 'bianca', parameters, headers: {} }, businesses)
    expect(doubt).not.toContain('baker')
  })

  it('is for the business whose number was called, wherever and however that is written', () => {
    for (const number of [
      '+15550100200',
      '+1 (555) 010-0200',
      'tel:+1-555-010-0200',
      'sip:+15550100200@192.0.2.1',
      '<sip:+15550100200@192.0.2.1;transport=tcp>',
    ]) {
      expect([number, whose({ parameters: { calledNumber: number } })]).toEqual([number, 'dentist'])
      expect([number, whose({ parameters: { to: number } })]).toEqual([number, 'dentist'])
      expect([number, whose({ headers: { 'x-called-number': number } })]).toEqual([number, 'dentist'])
    }
    expect(whose({ user: '+15550100300' })).toBe('plumber')
  })

  it('is for the standard one when the number is nobody’s, or none in international form', () => {
    for (const number of ['+15550100999', '15550100200', '5550100200', '', 'bianca', '+1555x0100200', '+0000000000']) {
      expect([number, whose({ user: number, parameters: { calledNumber: number } })]).toEqual([number, 'hotel'])
    }
  })

  it('goes by the first number that is somebody’s', () => {
    const parameters = { calledNumber: '+15550100999', to: '+15550100300' }
    expect(whose({ parameters, headers: { 'x-called-number': '+15550100200' } })).toBe('plumber')
  })
})
