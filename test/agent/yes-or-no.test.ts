import { describe, expect, it } from 'vitest'
import { yesOrNo } from '../../src/agent/yes-or-no.ts'

describe('an answer to a question for a yes', () => {
  it.each([
    'Yes.',
    'yes please',
    'Yeah, sure!',
    'OK, go ahead',
    'Ja, bitte.',
    'Natürlich',
    "Oui, d'accord",
    'Sí, claro',
    'Sì',
    'Va bene',
  ])('%s: yes', text => expect(yesOrNo(text)).toBe('yes'))

  it.each([
    'No.',
    'no thanks',
    'Not now, please',
    'Nein danke',
    'Non merci',
    'No, gracias',
    'yes no',
    'Nope, sorry no'.replace(' sorry', ''),
  ])('%s: no', text => expect(yesOrNo(text)).toBe('no'))

  it.each([
    '',
    'Hello?',
    'Billing, good morning',
    'You have reached the voicemail of Doctor Miller, yes please leave a message after the tone',
    'who is it',
    'yes who is calling',
    'Sie sprechen mit der Mailbox von ja',
    'yesterday',
    'sicherlich nicht heute',
  ])('%s: neither', text => expect(yesOrNo(text)).toBeUndefined())
})
