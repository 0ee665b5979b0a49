import { parseArgs } from 'node:util'
import { pause, systemClock } from '../clock.ts'
import { loadConfig } from '../config.ts'
import { asError } from '../errors.ts'
import { limits } from '../limits.ts'
import { callList, channelList } from '../server/schemas.ts'
import { type Api, ApiRefused, openApi } from './api.ts'
import { frameOf, renderCalls, type Snapshot } from './calls-view.ts'

const usage = `Shows the live calls and Asterisk's channels and bridges, every second until Ctrl-C.

  npm run calls -- [--once] [--json] [--private]

  --once      show once and end, as when the output is no terminal
  --json      once, as JSON
  --private   callers' numbers in full`

const REFRESH_MS = 1_000
const MOST_CALLS = limits.media.lines
const ALTERNATE_SCREEN = { enter: '\x1b[?1049h\x1b[?25l', leave: '\x1b[?25h\x1b[?1049l' }

await main().catch(error => {
  console.error(`calls: ${asError(error).message}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({ options: { once: flag, json: flag, private: flag, help: flag } })
  if (values.help) return console.log(usage)
  const api = await openApi(loadConfig(process.cwd()).config)
  const first = await look(api, values.private)
  if (values.json) return console.log(JSON.stringify(first, null, 2))
  if (values.once || !process.stdout.isTTY) return console.log(linesOf(first).join('\n'))
  await watch(api, first, values.private)
}

async function look(api: Api, withPrivate: boolean): Promise<Snapshot> {
  const [{ calls, totals }, asterisk] = await Promise.all([
    api.get(`/v1/calls?state=live&limit=${MOST_CALLS}&private=${withPrivate}`, callList),
    api.get('/v1/channels', channelList).catch(error => {
      if (error instanceof ApiRefused) return error.message
      throw error
    }),
  ])
  return { calls, ended: totals.ended, asterisk }
}

function linesOf(snapshot: Snapshot): string[] {
  return renderCalls(snapshot, process.stdout.columns ?? Number.POSITIVE_INFINITY)
}

/** A gateway that goes away meanwhile is told in place: it may come back. */
async function watch(api: Api, first: Snapshot, withPrivate: boolean): Promise<void> {
  const stopped = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopped.abort())
  process.stdout.write(ALTERNATE_SCREEN.enter)
  try {
    for (let lines = linesOf(first); ; ) {
      process.stdout.write(frameOf(lines, process.stdout.rows))
      await pause(systemClock, REFRESH_MS, stopped.signal).catch(() => {})
      if (stopped.signal.aborted) return
      lines = await look(api, withPrivate).then(linesOf, error => [asError(error).message])
    }
  } finally {
    process.stdout.write(ALTERNATE_SCREEN.leave)
  }
}
