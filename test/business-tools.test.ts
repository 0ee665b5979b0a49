import { describe, expect, it } from 'vitest'
import { businessTools, missingSecrets } from '../src/business-tools.ts'
import { limits } from '../src/limits.ts'

const url = 'https://shop.example.com/orders'
const good = { name: 'find_order', description: 'Finds an order.', url }
const number = { properties: { number: { type: 'string' } }, required: ['number'] }

function problemsOf(...tools: readonly object[]): string {
  const read = businessTools.safeParse(tools)
  return read.success ? '' : read.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n')
}

describe('the tools of a business', () => {
  it('need a name, a description and an address; what is fetched changes nothing', () => {
    expect(businessTools.parse([good, { ...good, name: 'order', method: 'POST' }])).toMatchObject([
      { method: 'GET', effect: 'read', timeoutMs: 5_000, parameters: { type: 'object', properties: {}, required: [] } },
      { method: 'POST', effect: 'write' },
    ])
    expect(businessTools.parse([{ ...good, method: 'POST', effect: 'read' }])[0]?.effect).toBe('read')
  })

  it('take as much of JSON schema as a telephone call needs, and refuse the rest', () => {
    const properties = {
      day: { type: 'string', description: 'Which day.', enum: ['today', 'tomorrow'] },
      people: { type: 'integer', minimum: 1, maximum: 12 },
      wishes: { type: 'array', items: { type: 'string', maxLength: 50 }, maxItems: 3 },
      vegan: { type: 'boolean' },
    }
    const parameters = { type: 'object', properties, required: ['day'], additionalProperties: false }
    expect(problemsOf({ ...good, parameters })).toBe('')
    const problemsWith = (property: object) => problemsOf({ ...good, parameters: { properties: { property } } })
    for (const other of [
      { type: 'object' },
      { type: 'text' },
      { $ref: '#' },
      { type: 'string', pattern: '(a+)+' },
      { type: 'string', maxLength: limits.tools.argumentChars + 1 },
      { type: 'array', items: { type: 'array', items: { type: 'string' } } },
      { type: 'array' },
    ]) {
      expect(problemsWith(other)).toContain('parameters.properties.property')
    }
    expect(problemsOf({ ...good, parameters: { properties: {}, required: ['day'] } })).toContain(
      '0.parameters.required.0: "day" is none of the properties',
    )
  })

  it.each([
    ['ftp://shop.example.com/', 'must be an address'],
    ['shop.example.com/orders', 'must be an address'],
    ['https://{number}/orders', 'must be an address'],
    ['https://shop.example.com{number}/', 'must be an address'],
    ['https://shop.example.com:{number}/', 'must be an address'],
    ['https://user:pw@shop.example.com/', 'must be an address'],
    ['https://shop.example.com\\{number}', 'must be an address'],
    ['https://shop.example.com/{number', 'brace'],
    ['https://shop.example.com/{other}', '{other}, which is no required parameter'],
    ['https://shop.example.com/{list}', '{list}, which is a list'],
    ['https://shop.example.com/${TOOL_KEY}', 'secret'],
    ['https://shop.example.com/#{number}', 'behind #'],
  ])('refuse the address %s', (wrong, why) => {
    const properties = { ...number.properties, list: { type: 'array', items: { type: 'string' } } }
    expect(problemsOf({ ...good, url: wrong, parameters: { properties, required: ['number', 'list'] } })).toContain(why)
  })

  it.each([
    [{ authorization: 'Bearer abc' }, 'looks like a secret'],
    [{ 'X-Api-Key': 'abc' }, 'looks like a secret'],
    [{ 'X-Shop': '${OPENAI_API_KEY}' }, 'begin with TOOL_'],
    [{ 'X-Shop': '${TOOL_key}' }, 'begin with TOOL_'],
    [{ Host: 'other' }, 'set by Parley'],
    [{ 'Idempotency-Key': 'x' }, 'set by Parley'],
    [{ 'Parley-Caller': 'x' }, 'set by Parley'],
    [{ 'X Shop': 'x' }, 'no name of a header'],
    [{ 'X-Shop': 'a\r\nHost: b' }, 'printable'],
  ])('refuse the header %j', (headers, why) => {
    expect(problemsOf({ ...good, headers })).toContain(why)
    expect(problemsOf({ ...good, headers: { authorization: 'Bearer ${TOOL_KEY}', 'X-Shop': '7' } })).toBe('')
  })

  it('are refused in words when they cannot be told apart, take too long, or are too many', () => {
    expect(problemsOf({ ...good, name: 'end_call' })).toContain('built-in')
    expect(problemsOf({ ...good, name: 'Find order' })).toContain('small letters')
    expect(problemsOf(good, good)).toContain('1.name: "find_order" is there twice')
    expect(problemsOf({ ...good, timeoutMs: limits.agent.toolMs + 1 })).toContain('timeoutMs')
    expect(problemsOf({ ...good, result: 'a..b' })).toContain('path such as')
    expect(problemsOf({ ...good, effects: 'read' })).toContain('effects')
    const many = Array.from({ length: limits.tools.perBusiness + 1 }, (_, n) => ({ ...good, name: `tool_${n}` }))
    expect(problemsOf(...many)).not.toBe('')
  })

  it('name secrets, which the environment has or has not', () => {
    const headers = { authorization: '${TOOL_A}:${TOOL_B}', 'x-key': '${TOOL_A}' }
    const tools = businessTools.parse([{ ...good, headers }])
    expect(missingSecrets(tools, {})).toEqual(['TOOL_A', 'TOOL_B'])
    expect(missingSecrets(tools, { TOOL_A: 'a', TOOL_B: ' ' })).toEqual(['TOOL_B'])
    expect(missingSecrets(tools, { TOOL_A: 'a', TOOL_B: 'b' })).toEqual([])
  })
})
