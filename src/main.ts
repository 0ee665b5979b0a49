import { once } from 'node:events'
import { systemClock } from './clock.ts'
import { loadConfigAndBusiness, unreadVariables } from './config.ts'
import { openEngines } from './engines.ts'
import { GatewayError } from './errors.ts'
import { startGateway } from './gateway.ts'
import { createLog } from './log.ts'
import { readyScreen } from './ready.ts'

/** One wish to stop comes as several signals: the terminal sends one to npm, its script and us, and both pass theirs on. */
const SAME_WISH_MS = 1_000

/** The process: settings in, a short screen when ready, a drain at the first wish to stop, no more patience at the second. */
async function main(): Promise<void> {
  const progress = (text: string) => console.error(`parley: ${text}`)
  // Before the settings are judged: what seems to be missing may be a name that was mistyped.
  for (const doubt of unreadVariables(process.cwd())) progress(doubt)
  const { environment, config } = loadConfigAndBusiness(process.cwd())
  const log = createLog(config.logLevel)
  const { stopping, hurrying } = wishesToStop()

  const engines = openEngines({ config, environment, progress })
  const starting = startGateway({ config, environment, log, progress, ...engines }, stopping)
  const gateway = await starting.catch(error => {
    if (!stopping.aborted) throw error
  })
  if (!gateway) return
  console.log(readyScreen({ ...config, engine: gateway.business.engine }, gateway.httpAddress))
  if (!stopping.aborted) await once(stopping, 'abort')
  progress('stopping; running calls may finish, a second Ctrl-C ends them ...')
  hurrying.addEventListener('abort', () => progress('ending the calls that are left ...'))
  await gateway.close(hurrying)
  await engines.close()
}

/** The third wish is granted at once, whatever is left behind. A terminal that is closed wishes it too (SIGHUP). */
function wishesToStop() {
  const wishes = [new AbortController(), new AbortController()] as const
  let lastMs = Number.NEGATIVE_INFINITY
  const heard = () => {
    const nowMs = systemClock.now()
    if (nowMs - lastMs < SAME_WISH_MS) return
    lastMs = nowMs
    const next = wishes.find(wish => !wish.signal.aborted)
    if (!next) process.exit(1)
    next.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, heard)
  return { stopping: wishes[0].signal, hurrying: wishes[1].signal }
}

// A terminal that was closed takes no words any more: that must not end a gateway before its calls.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {})

main().then(
  () => process.exit(0),
  error => {
    // A person can act on our own errors by their words alone; anything else is a bug and wants its stack.
    console.error(error instanceof GatewayError ? `parley: ${error.message}` : error)
    process.exit(1)
  },
)
