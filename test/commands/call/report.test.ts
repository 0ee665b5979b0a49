import { describe, expect, it } from 'vitest'
import type { CallFigures as RtpFigures } from '../../../src/caller/call.ts'
import type { CallerTurn, Happening } from '../../../src/commands/call/conversation.ts'
import { figuresOf, summaryOf } from '../../../src/commands/call/figures.ts'
import type { RecordedFact, Told } from '../../../src/commands/call/gateway-record.ts'
import { Transcript } from '../../../src/commands/call/transcript.ts'
import { figuresLines, summaryLines, troubleOf } from '../../../src/commands/call/words.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

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

/** On a gateway whose clock is another one. */
const AHEAD_MS = 5_000_000
const fact = (name: RecordedFact['name'], atMs: number, more: Partial<RecordedFact> = {}): RecordedFact => ({
  name,
  atMs: atMs + AHEAD_MS,
  ...more,
})
const told = (...facts: RecordedFact[]): Told => ({ knowledge: 'told', missing: undefined, facts })
const recorded = [
  fact('answered', 10_112.4),
  fact('agentSpoke', 12_000, { text: 'Hello.', ms: 1_850 }),
  fact('callerSpoke', 14_700, { text: 'tomorrow at three' }),
  fact('turnAnswered', 14_700),
  fact('agentSpoke', 16_020, { text: 'Tomorrow', ms: 1_300 }),
  fact('callerSpoke', 16_690, { text: '[not understood]' }),
  fact('turnAnswered', 16_690),
  fact('agentSpoke', 17_000, { text: 'Sorry, I did not understand. Yes?', ms: 300 }),
]
const nobodyAsked: Told = { knowledge: 'unchecked', missing: 'There is no API token.', facts: [] }
const figures = figuresOf(conversation, rtp, told(...recorded))

describe('the figures of a call', () => {
  it('are those of its happenings', () => {
    expect(figures).toEqual({
      answered: true,
      heard: true,
      checked: true,
      answerMs: 110,
      firstSoundMs: 28,
      turns: [
        { said: 'tomorrow at three', answer: 'understood', latencyMs: 712 },
        { said: 'wait', answer: 'askedBack', latencyMs: 600, silentAfterMs: 308 },
        { said: 'keys 12#', answer: 'unanswered', latencyMs: undefined },
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
      'turns               2 of 3 answered, 1 of them asked back',
      '  1                 712 ms: tomorrow at three',
      '  2                 600 ms, asked back, the agent silent after 308 ms: wait',
      '  3                 no answer: keys 12#',
      'jitter              0.4 ms',
      'loss                5 of 500 packets (1.0 %)',
      'the gateway heard   490 packets of yours, 1 lost, jitter 0.3 ms',
    ])
  })

  it('take no sound for an answer that the record does not have as one', () => {
    // The agent has asked whether anybody is there.
    const prompted = recorded.filter(({ name, atMs }) => name !== 'turnAnswered' || atMs < 15_000 + AHEAD_MS)
    const { turns } = figuresOf(conversation, rtp, told(...prompted))
    expect(turns[1]).toEqual({
      said: 'wait',
      answer: 'unanswered',
      latencyMs: undefined,
      soundMs: 600,
      silentAfterMs: 308,
    })
    const lines = figuresLines(figuresOf(conversation, rtp, told(...prompted)), undefined)
    expect(lines[2]).toBe('turns               1 of 3 answered')
    expect(lines[4]).toBe(
      '  2                 no answer (what came after 600 ms was none), the agent silent after 308 ms: wait',
    )
  })

  it('say so where nobody can be asked whose a sound was', () => {
    const unchecked = figuresOf(conversation, rtp, nobodyAsked)
    expect(unchecked).toMatchObject({ heard: true, checked: false })
    expect(unchecked.turns.map(({ answer, latencyMs }) => [answer, latencyMs])).toEqual([
      ['unchecked', 712],
      ['unchecked', 600],
      ['unanswered', undefined],
    ])
    expect(figuresLines(unchecked, undefined)[2]).toBe(
      'turns               2 of 3 answered, by a sound: whether it was the agent is not checked',
    )
  })

  it('are few when nothing was heard, and none when nobody answered', () => {
    const unheard = figuresOf(conversation.slice(0, 1), undefined, nobodyAsked)
    expect(figuresLines(unheard, undefined)).toEqual([
      'time to answer      110 ms',
      'to first sound      none',
      'jitter              0.0 ms',
      'loss                0 of 0 packets (0.0 %)',
    ])
    expect(figuresLines(figuresOf([], undefined, nobodyAsked), undefined)).toEqual([])
  })
})

describe('the figures of many calls', () => {
  const others = Array.from({ length: 19 }, (_, i) => ({ ...figures, answerMs: 200 + i, turns: [] }))
  const unanswered = figuresOf([], undefined, nobodyAsked)
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
      '',
      '                       understood   asked back    no answer',
      'turn 1                          1            0            0',
      'turn 2                          0            1            0',
      'turn 3                          0            0            1',
    ])
    const unchecked = summaryLines(summaryOf([figuresOf(conversation, rtp, nobodyAsked)]))
    expect(unchecked.slice(-4, -2)).toEqual([
      '                       understood   asked back    no answer  not checked',
      'turn 1                          0            0            0            1',
    ])
    expect(
      summaryOf([figuresOf(conversation, rtp, told())]).rows.find(({ name }) => name === 'latency of a turn')?.count,
    ).toBe(2)
  })

  it('are none where no call was answered', () => {
    expect(summaryLines(summaryOf([unanswered]))).toEqual(['1 calls at once, 0 answered, the agent heard in 0'])
  })
})

describe('the transcript', () => {
  /** What the record has told at each look. */
  function recordOf(news: RecordedFact[][], missing: (string | undefined)[] = []) {
    const facts: RecordedFact[] = []
    let latest = missing[0]
    const look = async () => {
      latest = missing.shift()
      const now = news.shift() ?? []
      facts.push(...now)
      return now
    }
    return {
      get told(): Told {
        return { knowledge: latest === undefined ? 'told' : 'unchecked', missing: latest, facts }
      },
      news: look,
      lastNews: look,
    }
  }

  async function written(record: ReturnType<typeof recordOf>, happenings: readonly Happening[]): Promise<string[]> {
    const lines: string[] = []
    const transcript = new Transcript(new VirtualClock(), record, line => lines.push(line))
    for (const each of happenings) transcript.tell(each, 10_000)
    await transcript.written()
    return lines
  }

  it('tells of everything in its order, with the words of the record where they belong', async () => {
    const [answered, hello, three, answer, tomorrow, , , sorry] = recorded as [RecordedFact, ...RecordedFact[]]
    const wait = fact('callerSpoke', 16_690, { text: 'wait' })
    const news = [[answered], [], [hello!], [three!, answer!], [], [tomorrow!]]
    const record = recordOf([
      ...news,
      [wait, fact('turnAnswered', 16_690)],
      [sorry!],
      [],
      [fact('agentSpoke', 20_900, { text: 'Goodbye.' })],
    ])
    expect(await written(record, conversation)).toEqual([
      '  0.11          answered',
      '  0.14  agent   begins',
      '  2.00  agent   "Hello." (1.9 s)',
      '  2.90  you     "tomorrow at three"',
      '  4.00  you     stop',
      '  4.71  agent   begins, 712 ms after you',
      '        agent   (understood "tomorrow at three")',
      '  5.71  you     "wait"',
      '  6.02  agent   stops (1.3 s)',
      '  6.10  you     stop',
      '        agent   "Tomorrow"',
      '  6.10  agent   fell silent 308 ms after you began',
      '  6.70  agent   begins, 600 ms after you',
      '        agent   (understood "wait")',
      '        agent   (asks back)',
      '  7.00  agent   "Sorry, I did not understand. Yes?" (0.3 s)',
      '  7.90  you     keys 12#',
      '  8.40  you     stop',
      ' 10.40  agent   has said nothing for 2.0 s',
      '        agent   "Goodbye."',
      ' 11.00          the agent hangs up',
    ])
  })

  it('takes neither a prompt nor the fallback for an answer of the agent', async () => {
    const prompt = fact('agentSpoke', 12_000, { text: 'Are you still there?', ms: 900 })
    const last = fact('agentSpoke', 17_300, { text: 'One moment please.', ms: 600 })
    const gone = fact('handedBack', 17_320, { why: 'engine failed' })
    const hello = fact('agentSpoke', 10_400, { text: 'Hello.', ms: 280 })
    const news = [[recorded[0]!, hello], [], [prompt], [], [last, gone], [], []]
    expect(
      await written(recordOf(news), [
        conversation[0]!,
        { kind: 'callerBegan', atMs: 10_500, turn: sentence },
        { kind: 'agentBegan', atMs: 11_100, afterMs: 500 },
        { kind: 'agentStopped', atMs: 12_000, spokeMs: 900 },
        { kind: 'callerBegan', atMs: 13_000, turn: sentence },
        { kind: 'agentBegan', atMs: 16_700, afterMs: 3_000 },
        { kind: 'agentStopped', atMs: 26_700, spokeMs: 10_000 },
        { kind: 'agentBegan', atMs: 28_000, afterMs: undefined },
        { kind: 'agentStopped', atMs: 29_000, spokeMs: 1_000 },
      ]),
    ).toEqual([
      '  0.11          answered',
      '  0.50  you     "tomorrow at three"',
      '        agent   "Hello."',
      '  1.10  agent   begins, 500 ms after you',
      '        agent   (that was no answer to you)',
      '  2.00  agent   "Are you still there?" (0.9 s)',
      '  3.00  you     "tomorrow at three"',
      '  6.70  agent   begins, 3000 ms after you',
      '        agent   "One moment please."',
      '        agent   (hands you back to Asterisk: engine failed)',
      '        agent   (that was no answer to you)',
      ' 16.70          the fallback stops (10.0 s)',
      ' 18.00          the fallback begins',
      ' 19.00          the fallback stops (1.0 s)',
    ])
  })

  it('stands in the order of its times, also where something is known later', async () => {
    const clock = new VirtualClock()
    const lines: string[] = []
    const transcript = new Transcript(clock, recordOf([]), line => lines.push(line))
    const [, , , , , , wait, stopped] = conversation
    transcript.tell({ ...wait!, atMs: 15_990 }, 10_000)
    await clock.run(250)
    transcript.tell({ ...stopped!, atMs: 15_900 }, 10_000)
    await clock.run(60)
    expect(lines).toEqual(['  5.90  agent   stops (1.3 s)', '  5.99  you     "wait"'])
    transcript.tell({ kind: 'callerStopped', atMs: 15_950 }, 10_000)
    await clock.run(300)
    expect(lines[2]).toBe('        you     stop (at 5.95)')
  })

  it('says once why the words are not there, and when they are again', async () => {
    const why = 'There is no API token.'
    const lines = await written(recordOf([], [why, why, undefined]), conversation.slice(0, 3))
    expect(lines).toEqual([
      '                (what the agent says is not shown: There is no API token.)',
      '  0.11          answered',
      '  0.14  agent   begins',
      '                (what the agent says is shown again)',
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
    const record = recordOf([[fact('agentSpoke', 0, { text: '\x1b[2J\u009b1m\r\n' })]])
    expect((await written(record, conversation.slice(2, 3)))[0]).toBe('  2.00  agent   "?[2J?1m??" (1.9 s)')
  })

  it('keeps entries without sounds, in whole milliseconds', async () => {
    const transcript = new Transcript(
      new VirtualClock(),
      recordOf([[fact('agentSpoke', 0, { text: 'Hello.' })]]),
      () => {},
    )
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
  const trouble = (happenings: Happening[], received = { packets: 0 }, known = nobodyAsked) => {
    const of = figuresOf(happenings, { received: { ...received, lost: 0, jitterMs: 0 } } as RtpFigures, known)
    return troubleOf(of, happenings, known, 'sip:bianca@127.0.0.1:5061')
  }
  const unanswered = (status: number | undefined, reason: string) =>
    trouble([{ kind: 'unanswered', atMs: 0, status, reason }])

  it('is nothing when the agent was heard', () => {
    expect(trouble(conversation)).toBeUndefined()
    expect(trouble(conversation, undefined, told(...recorded))).toBeUndefined()
    const asked = [fact('toolRan', 17_000, { tool: 'hand_over' }), fact('handedBack', 17_010, { why: 'asked' })]
    expect(trouble(conversation, undefined, told(...recorded, ...asked))).toBeUndefined()
  })

  it('is that it was not the agent that was heard, or not to the end', () => {
    const failed = [fact('degraded', 10_000, { why: 'quota' }), fact('handedBack', 10_010, { why: 'engine failed' })]
    expect(trouble(conversation, undefined, told(...failed))).toMatch(
      /^The agent did not speak, .*\(engine failed: quota\)/,
    )
    expect(trouble(conversation, undefined, told(...recorded, ...failed))).toMatch(
      /^The agent gave up, .*engine failed: quota/,
    )
    expect(trouble(conversation, undefined, told())).toMatch(/^The agent did not speak, by the record/)
    const without = (knowledge: 'absent' | 'lost') =>
      trouble(conversation, undefined, { knowledge, missing: 'Parley is not running.', facts: recorded })
    expect(without('absent')).toMatch(/not Parley's agent but Asterisk's fallback: Parley is not running\.$/)
    expect(without('lost')).toMatch(/^The gateway was lost in the call/)
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
