import { describe, expect, it } from 'vitest'
import { readOptions, usage } from '../../../src/commands/call/options.ts'

const plain = {
  asked: [],
  hangupAfterMs: undefined,
  calls: 1,
  to: undefined,
  from: undefined,
  parameters: {},
  headers: {},
  out: undefined,
  json: false,
}

describe('what the caller is asked', () => {
  it('is to hear the greeting when nothing is said', () => {
    expect(readOptions([])).toEqual(plain)
  })

  it('is to press keys first, then to say sentences and to play files', () => {
    expect(readOptions(['good morning', '--dtmf', '12d#', 'sounds/Yes.WAV'])).toEqual({
      ...plain,
      asked: [
        { kind: 'keys', digits: '12D#' },
        { kind: 'sentence', words: 'good morning', interrupting: false },
        { kind: 'file', path: 'sounds/Yes.WAV', interrupting: false },
      ],
    })
  })

  it('is to interrupt with every sentence but the first, or with the only one again', () => {
    const interrupting = (...said: string[]) => {
      const options = readOptions(['--interrupt', ...said])
      return options === 'help' ? [] : options.asked.map(each => each.kind === 'sentence' && each.interrupting)
    }
    expect(interrupting('one', 'two', 'three')).toEqual([false, true, true])
    expect(interrupting('one')).toEqual([false, true])
  })

  it('may be told in full', () => {
    const args = ['--to', 'sip:bianca@192.0.2.10:5070;transport=udp;patientId=7', '--from', '+15550100123', '--json']
    const more = ['--param', 'callSid=CA1', '--param', 'note=a=b', '--header', 'X-Foo=bar, baz', '--header', 'x-b=']
    expect(readOptions([...args, ...more, '--hangup-after', '1.5s', '--calls', '20', '--out', 'x.wav'])).toEqual({
      ...plain,
      hangupAfterMs: 1_500,
      calls: 20,
      to: { user: 'bianca', host: '192.0.2.10', port: 5_070, transport: 'udp' },
      from: '+15550100123',
      parameters: { patientId: '7', callSid: 'CA1', note: 'a=b' },
      headers: { 'X-Foo': 'bar, baz', 'x-b': '' },
      out: 'x.wav',
      json: true,
    })
  })

  it.each([
    ['sip:a@gateway.example', { host: 'gateway.example', port: 5_061, transport: 'tcp' }],
    ['sip:a@192.0.2.1;transport=UDP', { host: '192.0.2.1', port: 5_060, transport: 'udp' }],
    ['sip:a@[2001:db8::1]:5080', { host: '2001:db8::1', port: 5_080, transport: 'tcp' }],
  ])('reads the address %s', (address, callee) => {
    expect(readOptions(['--to', address])).toMatchObject({ to: { user: 'a', ...callee } })
  })

  it.each([
    ['20s', 20_000],
    ['1500ms', 1_500],
    ['2m', 120_000],
  ])('reads the time %s', (time, ms) => {
    expect(readOptions(['--hangup-after', time])).toMatchObject({ hangupAfterMs: ms })
  })

  it('is to help, whatever else is asked', () => {
    expect(readOptions(['--help', '--calls', 'many'])).toBe('help')
    for (const option of [
      'interrupt',
      'dtmf',
      'hangup-after',
      'calls',
      'to',
      'from',
      'param',
      'header',
      'out',
      'json',
    ]) {
      expect(usage).toContain(`--${option}`)
    }
  })
})

describe('a problem is told in words', () => {
  it.each<[string[], RegExp]>([
    [['--loud'], /Unknown option '--loud'\.\nnpm run call -- --help/],
    [['--dtmf'], /'--dtmf <value>' argument missing/],
    [['--json=yes'], /'--json' does not take an argument/],
    [[''], /A sentence is empty/],
    [['  '], /A sentence is empty/],
    [['x'.repeat(501)], /up to 500 letters/],
    [Array.from({ length: 101 }, () => 'yes'), /At most 100 sentences/],
    [['--interrupt'], /--interrupt needs a sentence/],
    [['--dtmf', '12x'], /--dtmf takes up to 100 keys of 0-9, \*, # and A-D, such as 123#; "12x" is none/],
    [['--dtmf', ''], /--dtmf takes/],
    [['--dtmf', '1'.repeat(101)], /--dtmf takes/],
    [['--hangup-after', '20'], /--hangup-after takes a time up to 10 minutes, such as 20s or 1500ms; "20" is none/],
    [['--hangup-after', '0s'], /--hangup-after takes/],
    [['--hangup-after', '11m'], /--hangup-after takes/],
    [['--hangup-after', '-5s'], /--hangup-after/],
    [['--calls', '0'], /--calls takes a number from 1 to 100; "0" is none/],
    [['--calls', '101'], /--calls takes/],
    [['--calls', '1e2'], /--calls takes/],
    [['--from', 'a b'], /--from takes a number .*, or a name of letters, digits, dots, dashes and underscores/],
    [
      ['--hangup-after', '-1s'],
      /^--hangup-after needs a value behind it, and what stands there begins with a dash\.\n/,
    ],
    [['--colour'], /^Unknown option '--colour'\.\n/],
    [['--calls'], /^Option '--calls <value>' argument missing\.\n/],
    [['--from', '+1"<sip:x>'], /--from takes a number/],
    [['--to', '192.0.2.1'], /--to takes an address such as .*; "192\.0\.2\.1" is none/],
    [['--to', 'sips:a@192.0.2.1'], /asks for TLS/],
    [['--to', 'sip:a@192.0.2.1;transport=tls'], /a transport other than tcp and udp/],
    [['--to', 'sip:a@192.0.2.1:70000'], /a port that is none/],
    [['--to', 'sip:a@192.0.2.1;b c=1'], /a parameter that is none \("b c=1"\)/],
    [['--to', 'sip:a@[::zz]'], /"sip:a@\[::zz\]" is none/],
    [['--to', 'sip:a@[:::]'], /an IPv6 address that is none/],
    [['--param', 'callSid'], /--param takes a name and a value such as callSid=CA12; "callSid" is none/],
    [['--param', '=x'], /--param takes/],
    [['--param', 'a;b=x'], /--param takes/],
    [['--param', 'Transport=udp'], /The transport is said with --to/],
    [['--param', 'a=1', '--param', 'a=2'], /--param gives a twice/],
    [['--header', 'From=x'], /--header takes a name and a value such as X-Foo=bar; "From=x" is none/],
    [['--header', 'X-A=b\r\nRoute: <sip:x>'], /--header takes/],
    [['--out', 'call.mp3'], /--out takes the name of a WAV file, such as call\.wav; it is "call\.mp3"/],
  ])('%j', (args, words) => {
    expect(() => readOptions(args)).toThrow(words)
  })

  it('with every other one', () => {
    const read = () => readOptions(['--calls', 'x', '--from', '', '--out', 'y', '--dtmf', 'z'])
    expect(read).toThrow(/--dtmf takes .*\n--calls takes .*\n--from takes .*\n--out takes .*\nnpm run call -- --help/)
  })

  it('is none where a name only looks like one of the language', () => {
    expect(readOptions(['--param', 'constructor=1', '--param', '__proto__=2'])).toMatchObject({
      parameters: Object.fromEntries([
        ['constructor', '1'],
        ['__proto__', '2'],
      ]),
    })
  })
})
