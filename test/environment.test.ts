import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseEnvFile, readEnvFile, unreadNames } from '../src/environment.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-environment-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a .env file', () => {
  it('may be missing', () => {
    expect(readEnvFile(join(folder, 'nowhere'))).toEqual({ values: {}, lines: new Map(), problems: [] })
  })

  it('sets names, plain, quoted, over several lines, exported, with comments, from any editor', () => {
    const { values, lines } = parseEnvFile(
      '\uFEFF# first\r\nHTTP_PORT=3001 # why\r\n\r\nexport SIP_USER = "anna"  # who\r\nBUSINESS_NAME=\'one\ntwo\'\n  LOG_LEVEL=\n',
    )
    expect(values).toEqual({ HTTP_PORT: '3001', SIP_USER: 'anna', BUSINESS_NAME: 'one\ntwo', LOG_LEVEL: '' })
    expect([...lines]).toEqual([
      ['HTTP_PORT', 2],
      ['SIP_USER', 4],
      ['BUSINESS_NAME', 5],
      ['LOG_LEVEL', 7],
    ])
  })

  it('sets a name to nothing, whatever stands behind it', () => {
    expect(parseEnvFile('API_TOKEN= \nARI_PASSWORD= # none\nSIP_USER=\nexport ARI_APP=\nARI_PORT=1').values).toEqual({
      API_TOKEN: '',
      ARI_PASSWORD: '',
      SIP_USER: '',
      ARI_APP: '',
      ARI_PORT: '1',
    })
  })

  it('is refused with the number of every line that could be misunderstood, and never repeats one', () => {
    const { problems } = parseEnvFile(
      'API_TOKEN a-secret-that-nobody-sees\nHTTP_PORT=1\n=a-secret-value\nHTTP_PORT=2\nSIP_USER="a\nb" a-secret-tail\n' +
        'ARI_APP=a-secret#with-a-hash\nARI_PASSWORD="a-secret-open\nARI_PORT=3\n',
    )
    expect(problems).toEqual([
      '.env, line 1: not of the form NAME=value; a comment begins with #.',
      '.env, line 3: not of the form NAME=value; a comment begins with #.',
      '.env, line 4 sets HTTP_PORT again; line 2 does already.',
      '.env, line 5: something stands behind the closing quotation mark (SIP_USER).',
      '.env, line 7: a # within the value needs quotation marks (ARI_APP).',
      '.env, line 8: the quotation mark that begins the value is never closed (ARI_PASSWORD).',
    ])
    expect(problems.join()).not.toContain('secret-')
  })

  it('must be a file that can be read', () => {
    mkdirSync(join(folder, 'in-the-way', '.env'), { recursive: true })
    expect(readEnvFile(join(folder, 'in-the-way'))).toMatchObject({
      unreadable: true,
      problems: [expect.stringMatching(/cannot be read \(EISDIR\)\. It must be a file/)],
    })
  })

  it('gives back every value that can be written, with the line it was written on', () => {
    const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/)
    const quote = fc.constantFrom("'", '`')
    const setting = fc.record({ name, quote, value: fc.string({ unit: 'binary', maxLength: 12 }) })
    fc.assert(
      fc.property(fc.uniqueArray(setting, { selector: each => each.name, maxLength: 6 }), settings => {
        const kept = settings.filter(({ value, quote }) => !value.includes(quote) && !value.includes('\r'))
        const written = kept.map(({ name, quote, value }) => `# ${name}\n${name}=${quote}${value}${quote} # why`)
        const { values, lines } = parseEnvFile(written.join('\n'))
        expect(values).toEqual(Object.fromEntries(kept.map(({ name, value }) => [name, value])))
        for (const [name, line] of lines) {
          expect(written.join('\n').split('\n')[line - 1]).toMatch(new RegExp(`^${name}=`))
        }
      }),
      { numRuns: 500, seed: 1 },
    )
  })
})

describe('names that nothing reads', () => {
  const known = ['SIP_TCP_PORT', 'SIP_UDP_PORT', 'API_TOKEN', 'HTTP_PORT', 'HTTP_HOST', 'MAX_CALLS']

  it('are all told of a .env, with the name that was meant where one is near', () => {
    const file = parseEnvFile('SIP_TCP_PROT=5061\nMAX_CALLS=3\nmax_call=4\nCOLOUR=blue\n')
    expect(unreadNames(file, {}, known)).toEqual([
      '.env, line 1: SIP_TCP_PROT is not known: did you mean SIP_TCP_PORT?',
      '.env, line 3: max_call is not known: did you mean MAX_CALLS?',
      '.env, line 4: COLOUR is not known: nothing reads it; .env.example has all names.',
    ])
  })

  it('are told of the environment only where they look like typing errors', () => {
    const environment = {
      SIP_TCPPORT: '1',
      HTPP_PORT: '2',
      PATH: '',
      NPM_TOKEN: 'x',
      HTTP_PROXY: 'y',
      SIP_UDP_PORT: '3',
    }
    expect(unreadNames(parseEnvFile(''), environment, known)).toEqual([
      'SIP_TCPPORT is not known: did you mean SIP_TCP_PORT?',
      'HTPP_PORT is not known: did you mean HTTP_PORT?',
    ])
  })

  it('are none of those that the tools of a business may name', () => {
    expect(unreadNames(parseEnvFile('TOOL_SHOP_KEY=1\nTOOLS=2\n'), { TOOL_OTHER: '' }, known)).toEqual([
      expect.stringContaining('TOOLS is not known'),
    ])
  })

  it('are told once when they stand in both', () => {
    expect(unreadNames(parseEnvFile('HTTP_PROT=1\n'), { HTTP_PROT: '2' }, known)).toHaveLength(1)
  })
})
