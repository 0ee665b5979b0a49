import { describe, expect, it } from 'vitest'
import type { CallFigures as RtpFigures } from '../../../src/caller/call.ts'
import type { CallerTurn, Happening } from '../../../src/commands/call/conversation.ts'
import { figuresOf, summaryOf } from '../../../src/commands/call/figures.ts'
import type { RecordedWords } from '../../../src/commands/call/gateway-record.ts'
import { Transcript } from '../../../src/commands/call/transcript.ts'
import { figuresLines, summaryLines, troubleOf } from '../../../src/commands/call/words.ts'

const sentence: CallerTurn = {
  kind: 'say',
  words: 'tomorrow at three',
  samples: new Int16Array(8),
  interrupting: false,
}
const ending = { by: 'callee', how: 'bye', reason: '', atMs: 21_000 } as const

const conversation: Happening[] = [
  { kind: 'answered', atMs: 10_112.4, setUpMs: 110.4 },
  { kind: 'agentBegan', atMs: 10_140.4, afterMs: undefined },
  { kind: 'agentStopped', atMs: 12_000, spokeMs: 1_859.6 },
  { kind: 'callerBegan', atMs: 12_900, turn: sentence },
  { kind: 'callerStopped', atMs: 14_000 },
  { kind: 'agentBegan', atMs: 14_712, afterMs: 712 },
  { kind: 'callerBegan', atMs: 15_712, turn: { ...sentence, words: 'wait', interrupting: true } },
  { kind: 'agentStopped', atMs: 16_020, spokeMs: 1_308 },
  { kind: 'callerStopped', atMs: 16_100 },
  { kind: 'agentInterrupted', atMs: 16_100, how: 'fellSilent', silentAfterMs: 308.2 },
  { kind: 'agentBegan', atMs: 16_700, afterMs: 600 },
  { kind: 'agentStopped', atMs: 17_000, spokeMs: 300 },
  { kind: 'callerBegan', atMs: 17_900, turn: { kind: 'press', digits: '12#' } },
  { kind: 'callerStopped', atMs: 18_400 },
  { kind: 'agentSilent', atMs: 20_400, waitedMs: 2_000 },
  { kind: 'ended', atMs: 21_000, ending },
]

const rtp = { received: { packets: 495, lost: 5, jitterMs: 0.432 } } as RtpFigures
const figures = figuresOf(conversation, rtp)

describe('the figures of a call', () => {
  it('are those of its happenings', () => {
    expect(figures).toEqual({
      answered: true,
      heard: true,
      answerMs: 110,
      firstSoundMs: 28,
      turns: [
        { said: 'tomorrow at three', latencyMs: 712 },
        { said: 'wait', latencyMs: 600, silentAfterMs: 308 },
        { said: 'keys 12#', latencyMs: undefined },
      ],
      jitterMs: 0.4,
      packets: 495,
      lost: 5,
      lossPercent: 1,
    })
  })

  it('are written as lines', () => {
    expect(figuresLines(figures, { packets: 490, lost: 1, jitterMs: 0.25 })).toEqual([
      'time to answer      110 ms',
      'to first sound      28 ms after the answer',
      'turns               2 of 3 answered',
      '  1                 712 ms: tomorrow at three',
      '  2                 600 ms, the agent silent after 308 ms: wait',
      '  3                 no answer: keys 12#',
      'jitter              0.4 ms',
      'loss                5 of 500 packets (1.0 %)',
      'the gateway heard   490 packets of yours, 1 lost, jitter 0.3 ms',
    ])
  })

  it('are few when nothing was heard, and none when nobody answered', () => {
    const unheard = figuresOf(conversation.slice(0, 1), undefined)
    expect(figuresLines(unheard, undefined)).toEqual([
      'time to answer      110 ms',
      'to first sound      none',
      'jitter              0.0 ms',
      'loss                0 of 0 packets (0.0 %)',
    ])
    expect(figuresLines(figuresOf([], undefined), undefined)).toEqual([])
  })
})

describe('the figures of many calls', () => {
  const others = Array.from({ length: 19 }, (_, i) => ({ ...figures, answerMs: 200 + i, turns: [] }))
  const unanswered = figuresOf([], undefined)
  const unheard = { ...unanswered, answered: true, answerMs: 50 }

  it('are spread over those that were answered', () => {
    const lines = summaryLines(summaryOf([figures, ...others, unheard, unanswered]))
    expect(lines).toEqual([
      '22 calls at once, 21 answered, the agent heard in 20',
      '',
      '                           p50       p95       p99       max',
      'time to answer          208 ms    217 ms    218 ms    218 ms',
      'to first sound           28 ms     28 ms     28 ms     28 ms',
      'latency of a turn       600 ms    712 ms    712 ms    712 ms',
      'falls silent after      308 ms    308 ms    308 ms    308 ms',
      'jitter                  0.4 ms    0.4 ms    0.4 ms    0.4 ms',
      'loss                       1 %       1 %       1 %       1 %',
    ])
  })

  it('are none where no call was answered', () => {
    expect(summaryLines(summaryOf([unanswered]))).toEqual(['1 calls at once, 0 answered, the agent heard in 0'])
  })
})

describe('the transcript', () => {
  const recordOf = (news: RecordedWords[][], missing?: string) => ({
    missing,
    news: async () => news.shift() ?? [],
    lastNews: async () => news.shift() ?? [],
  })

  async function written(record: ReturnType<typeof recordOf>, happenings: readonly Happening[]): Promise<string[]> {
    const lines: string[] = []
    const transcript = new Transcript(record, line => lines.push(line))
    for (const each of happenings) transcript.tell(each, 10_000)
    await transcript.written()
    return lines
  }

  it('tells of everything in its order, with the words of the record where they belong', async () => {
    const agent = (text: string): RecordedWords => ({ by: 'agent', text })
    const caller = (text: string): RecordedWords => ({ by: 'caller', text })
    const news = [[], [agent('Hello.')], [], [caller('tomorrow at three')], [agent('Tomorrow')]]
    const record = recordOf([...news, [], [agent('Yes?'), caller('wait')], [], [agent('Goodbye.')]])
    expect(await written(record, conversation)).toEqual([
      '  0.11          answered',
      '  0.14  agent   begins',
      '  2.00  agent   "Hello." (1.9 s)',
      '  2.90  you     "tomorrow at three"',
      '  4.00  you     stop',
      '  4.71  agent   begins, 712 ms after you',
      '  5.71  you     "wait"',
      '        agent   (understood "tomorrow at three")',
      '  6.02  agent   stops (1.3 s)',
      '  6.10  you     stop',
      '        agent   "Tomorrow"',
      '  6.10  agent   fell silent 308 ms after you began',
      '  6.70  agent   begins, 600 ms after you',
      '        agent   (understood "wait")',
      '  7.00  agent   "Yes?" (0.3 s)',
      '  7.90  you     keys 12#',
      '  8.40  you     stop',
      ' 10.40  agent   has said nothing for 2.0 s',
      '        agent   "Goodbye."',
      ' 11.00          the agent hangs up',
    ])
  })

  it('says once why the words are not there', async () => {
    const lines = await written(recordOf([], 'There is no API token.'), conversation.slice(0, 3))
    expect(lines).toEqual([
      '                (what the agent says is not shown: There is no API token.)',
      '  0.11          answered',
      '  0.14  agent   begins',
      '  2.00  agent   stops (1.9 s)',
    ])
  })

  it('tells of what does not go as it should', async () => {
    const lines = await written(recordOf([]), [
      { kind: 'unanswered', atMs: 10_005, status: 403, reason: 'Forbidden' },
      { kind: 'unanswered', atMs: 10_005, status: undefined, reason: 'connect ECONNREFUSED' },
      { kind: 'agentBegan', atMs: 11_000, afterMs: -250 },
      { kind: 'agentSpeaksOn', atMs: 71_000, spokeMs: 60_000 },
      { kind: 'agentInterrupted', atMs: 72_000, how: 'spokeOn', silentAfterMs: undefined },
      { kind: 'agentInterrupted', atMs: 72_000, how: 'wasSilent', silentAfterMs: undefined },
      { kind: 'ended', atMs: 73_000, ending: { ...ending, by: 'nobody', reason: 'the other side closed' } },
      { kind: 'ended', atMs: 73_000, ending: { ...ending, by: 'caller' } },
    ])
    expect(lines.map(line => line.trim().replace(/ {2,}/g, ' '))).toEqual([
      '0.01 not answered: 403 Forbidden',
      '0.01 not answered: connect ECONNREFUSED',
      '1.00 agent begins 250 ms before you have finished',
      '61.00 agent has not come to an end within 60.0 s',
      '62.00 agent did not fall silent',
      '62.00 agent was silent already when you began',
      '63.00 the call is lost: the other side closed',
      '63.00 you hang up',
    ])
  })

  it('lets nothing that is said steer the terminal', async () => {
    const record = recordOf([[{ by: 'agent', text: '\x1b[2J\u009b1m\r\n' }]])
    expect((await written(record, conversation.slice(2, 3)))[0]).toBe('  2.00  agent   "?[2J?1m??" (1.9 s)')
  })

  it('keeps entries without sounds, in whole milliseconds', async () => {
    const transcript = new Transcript(recordOf([[{ by: 'agent', text: 'Hello.' }]]), () => {})
    for (const each of [conversation[2]!, conversation[3]!, conversation.at(-1)!]) transcript.tell(each, 10_000)
    await transcript.written()
    expect(transcript.entries).toEqual([
      { atMs: 2_000, kind: 'agentStopped', spokeMs: 1_860, recorded: [{ by: 'agent', text: 'Hello.' }] },
      { atMs: 2_900, kind: 'callerBegan', words: 'tomorrow at three' },
      { atMs: 11_000, kind: 'ended', by: 'callee', how: 'bye', reason: '' },
    ])
  })
})

describe('what is wrong', () => {
  const trouble = (happenings: Happening[], received = { packets: 0 }) => {
    const of = figuresOf(happenings, { received: { ...received, lost: 0, jitterMs: 0 } } as RtpFigures)
    return troubleOf({ figures: of, happenings }, 'sip:bianca@127.0.0.1:5061')
  }
  const unanswered = (status: number | undefined, reason: string) =>
    trouble([{ kind: 'unanswered', atMs: 0, status, reason }])

  it('is nothing when the agent was heard', () => {
    expect(trouble(conversation)).toBeUndefined()
  })

  it.each([
    ['connect ECONNREFUSED 127.0.0.1:5061'],
    ['the callee did not respond'],
    ['no connection to 192.0.2.1:5061 within 5000 ms'],
  ])('is that Parley does not run: %s', reason => {
    expect(unanswered(undefined, reason)).toMatch(/^Nobody answers at sip:bianca@127\.0\.0\.1:5061\. .*npm start$/)
  })

  it.each([
    [401, /npm run doctor/],
    [403, /SIP_ALLOW/],
    [404, /SIP_USER/],
    [480, /readyz/],
    [486, /npm run calls/],
    [487, /in time/],
    [488, /no RTP port left/],
    [503, /full, stopping or not ready/],
    [500, /500 oops/],
  ])('is told for %i', (status, words) => {
    expect(unanswered(status, 'oops')).toMatch(words)
  })

  it('is told where no reason is known to this table', () => {
    expect(unanswered(undefined, 'something odd')).toBe('The call came to nothing: something odd.')
  })

  it('is silence, or that no audio came at all', () => {
    expect(trouble(conversation.slice(0, 1), { packets: 10 })).toMatch(/silence was all that came/)
    expect(trouble(conversation.slice(0, 1))).toMatch(/no audio came: UDP of the RTP ports is blocked/)
  })
})
