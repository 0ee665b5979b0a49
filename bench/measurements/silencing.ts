import { Child } from '../house/child.ts'
import { watchProcessors } from '../house/processors.ts'
import type { EchoRequests } from '../programs/echo.ts'
import type { Silencing, SilencingRequests } from '../programs/silencing.ts'
import { percentiles } from '../report/percentiles.ts'
import { figure, type Row } from '../report/row.ts'
import type { How, Subject } from './measurement.ts'

const LINES = 150
const BLOCK_MS = 50

const method = `The media thread without Asterisk: ${LINES} lines talk and hear, with the far ends of all of them in one
other thread. The main thread silences one line after the other, by \`cancel()\` and by \`pause()\` in turns. Told is the time
from the decision, on the main thread, to the last packet of that utterance arriving at its far end; 0 when none comes after
the decision. Both threads read the machine's one monotonic clock.

That no frame leaves after the media thread has the message is counted, not timed: the thread's answer tells how many frames of
the utterance had left, and the far end must not get one more.`

export const silencing: Subject = {
  title: 'Barge-in',
  method,
  measurements: [
    { name: 'silencing', run: how => rows(0, { count: 2_000, everyMs: 5 }, how) },
    { name: 'silencing-blocked', run: how => rows(BLOCK_MS, { count: 500, everyMs: 5 }, how) },
  ],
}

async function rows(blockMs: number, trials: { count: number; everyMs: number }, { quick, progress }: How) {
  progress(`${LINES} lines silenced${blockMs > 0 ? ', main thread blocked before' : ''}`)
  const environment = { PATH: process.env['PATH'] ?? '' }
  await using echo = new Child<EchoRequests>(new URL('../programs/echo.ts', import.meta.url), { environment })
  await using child = new Child<SilencingRequests>(new URL('../programs/silencing.ts', import.meta.url), {
    environment,
  })
  await child.ask('open', { count: LINES, echoPort: await echo.ask('port') })
  const stopWatching = watchProcessors({
    process: { pid: child.pid },
    'of it media thread': { pid: child.pid, thread: 'media', within: true },
    'of it far ends': { pid: child.pid, thread: 'peers', within: true },
  })
  const figures = await child.ask('decide', { ...trials, blockMs, count: quick ? trials.count / 10 : trials.count })
  const conditions = {
    ...stopWatching(),
    echoMs: percentiles(figures.echoMs),
    callerLateMs: percentiles(figures.lateMs),
  }
  return (['cancel', 'pause'] as const).map((by): Row => {
    const outcomes = figures.silencings.filter(each => each.by === by)
    const before = blockMs > 0 ? `, main thread blocked ${blockMs} ms right before` : ''
    return { subject: `${by}, ${LINES} lines talking${before}`, conditions, ...judged(outcomes) }
  })
}

function judged(outcomes: readonly Silencing[]): Pick<Row, 'checks' | 'notes'> {
  const took = percentiles(outcomes.map(each => each.tookMs))
  const sum = (name: 'framesAfter' | 'lost') => outcomes.reduce((total, each) => total + each[name], 0)
  return {
    checks: [
      { name: 'p99', value: took.p99, most: 3, unit: 'ms' },
      { name: 'frames after the message', value: sum('framesAfter'), most: 0 },
    ],
    notes: [
      `max ${figure(took.max)} ms`,
      `${figure(took.count)} decisions`,
      `${figure(sum('lost'))} packets lost on the way`,
    ],
  }
}
