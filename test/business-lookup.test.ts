import { describe, expect, it } from 'vitest'
import { businessLookup } from '../src/business-lookup.ts'
import { limits } from '../src/limits.ts'

const url = 'https://practice.example.com/callers'

function problemsOf(lookup: object): string {
  const read = businessLookup.safeParse(lookup)
  return read.success ? '' : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n')
}

describe('the look-up of a business', () => {
  it('needs an address only, and then sends the number alone', () => {
    expect(businessLookup.parse({ url })).toEqual({
      url,
      method: 'GET',
      headers: {},
      parameters: ['callerNumber'],
      timeoutMs: 800,
      cacheSeconds: 60,
    })
  })

  it.each([
    [{ timeoutMs: limits.lookup.mostMs + 1 }, 'timeoutMs'],
    [{ timeoutMs: 0 }, 'timeoutMs'],
    [{ cacheSeconds: limits.lookup.cacheSeconds + 1 }, 'cacheSeconds'],
    [{ parameters: [] }, 'parameters'],
    [{ parameters: Array.from({ length: limits.lookup.parameters + 1 }, (_, n) => `p${n}`) }, 'parameters'],
    [{ parameters: ['a b'] }, 'parameters.0: may hold only'],
    [{ method: 'DELETE' }, 'method'],
    [{ url: 'https://{callerNumber}/x' }, 'url: must be an address'],
    [{ url: `${url}/{patientId}` }, 'url: uses {patientId}, which is none of its parameters'],
    [{ url: `${url}?key=\${TOOL_KEY}` }, 'url: holds a secret'],
    [{ headers: { authorization: 'Bearer abc' } }, 'headers.authorization: looks like a secret'],
    [{ headers: { 'x-key': '${HOME}' } }, 'headers.x-key: names ${HOME}'],
    [{ headers: { host: 'x' } }, 'headers.host: is set by Parley itself'],
    [{ greeting: 'Hello' }, 'greeting'],
  ])('is refused in words: %j', (changes, problem) => {
    expect(problemsOf({ url, ...changes })).toContain(problem)
  })

  it('may have a parameter in its address', () => {
    expect(problemsOf({ url: `${url}/{patientId}`, parameters: ['patientId'] })).toBe('')
  })
})
