import { constants } from 'node:os'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.ts'
import { toldOf } from '../../src/store/store.ts'

const withCode = (code: unknown) => Object.assign(new Error('a row, and in it what a caller said'), { code })
const codeOf = (code: unknown) => toldOf(withCode(code)).code

/** https://www.postgresql.org/docs/15/errcodes-appendix.html: its classes, by what they are about. */
const ofTheServer = ['08', '28', '3D', '40', '53', '57', '58']
const ofTheQuestion = [
  ...['01', '02', '03', '09', '0A', '0B', '0F', '0L', '0P', '0Z', '20', '21', '22', '23', '24', '25', '26', '27'],
  ...['2B', '2D', '2F', '34', '38', '39', '3B', '3F', '42', '44', '54', '55', '72', 'F0', 'HV', 'P0', 'XX'],
]

describe('what the database has answered', () => {
  it.each([
    ...Object.keys(constants.errno),
    // Of the resolver, of TLS and of Node itself.
    ...['EAI_AGAIN', 'EAI_FAIL', 'ENOTFOUND', 'EPROTO', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED'],
    ...['ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ABORT_ERR'],
  ])('comes from the way there: %s', code => {
    expect(codeOf(code)).toBe('STORE_AWAY')
  })

  it.each([undefined, null, 17, ''])('comes from the driver, which gives no code: %s', code => {
    expect(codeOf(code)).toBe('STORE_AWAY')
    for (const thrown of [null, 'Connection terminated', { code }]) expect(toldOf(thrown).code).toBe('STORE_AWAY')
  })

  it.each(ofTheServer)('is about the server: %s', of => {
    for (const rest of ['000', '001', 'P01', 'P04']) expect(codeOf(`${of}${rest}`)).toBe('STORE_AWAY')
  })

  it.each(ofTheQuestion)('is about what was asked: %s', of => {
    for (const rest of ['000', '001', 'P02']) expect(codeOf(`${of}${rest}`)).toBe('BUG')
    expect(toldOf(withCode(`${of}000`)).message).toBe(`The database refused what it was asked (${of}000).`)
  })

  it('is about a server that only reads', () => {
    expect([codeOf('25006'), codeOf('25001')]).toEqual(['STORE_AWAY', 'BUG'])
  })

  it('is told as it was, when it is told already', () => {
    const told = new GatewayError('STORE_AWAY', 'It is away.')
    expect(toldOf(told)).toBe(told)
  })
})
