import { systemClock } from './clock.ts'
import { loadEnvironment, readConfig } from './config.ts'
import { GatewayError } from './errors.ts'
import { startGateway } from './gateway.ts'
import { createLog } from './log.ts'
import { scriptedEngine } from './providers/scripted/engine.ts'

/** The process: settings in, one line when ready, a drain on the first signal and an end on the second. */
async function main(): Promise<void> {
  const environment = loadEnvironment(process.cwd())
  const config = readConfig(environment)
  const log = createLog(config.logLevel)
  const stopping = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.resolve())

  const handlers = { scripted: scriptedEngine({ clock: systemClock }) }
  const progress = (text: string) => console.error(`parley: ${text}`)
  const gateway = await startGateway({ config, environment, log, progress, handlers })
  const { user, tcpPort } = config.sip
  console.log(
    `parley ready: call sip:${user}@127.0.0.1:${tcpPort};transport=tcp, API at ${gateway.httpAddress}, engine ${config.engine}`,
  )
  await stopping.promise
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
  progress('stopping; running calls may finish, a second Ctrl-C ends them ...')
  await gateway.close()
}

main().then(
  () => process.exit(0),
  error => {
    // A person can act on our own errors by their words alone; anything else is a bug and wants its stack.
    console.error(error instanceof GatewayError ? `parley: ${error.message}` : error)
    process.exit(1)
  },
)
