import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { systemClock } from '../clock.ts'
import { FakeOpenAi } from '../fake-openai/api.ts'
import { selfSigned } from '../fake-openai/certificate.ts'
import { buildFakeServer } from '../fake-openai/server.ts'

const usage = `Usage: npm run fake-openai -- [options]

A double of the Realtime API on this machine: no key, no price, always the same. Each word is answered with a tone.

  --port N               where it listens (8090)
  --tls                  TLS with a certificate of its own; the way to trust it is printed
  --older                the event names of before 2025-08
  --g711 refuses|ignores what it does about G.711: a server that knows only PCM
  --no-truncate          does not know conversation.item.truncate
  --answers-always       answers by itself, whatever its client has chosen
  --key TEXT             refuses any other key

Faults are planned while it runs, each for one occasion:
  curl -d '[{"at":"connect","status":429,"retryAfter":"1"}]' http://127.0.0.1:8090/faults
  curl -d '[{"at":"response","what":"stall"}]' http://127.0.0.1:8090/faults        stall, mute, fail, quota, refuse
  curl -d '[{"at":"audio","afterMs":600,"what":"kill"}]' http://127.0.0.1:8090/faults
                                            kill, stall, malformed, binary, oversize, expire, error, fail`

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string', default: '8090' },
      tls: { type: 'boolean', default: false },
      older: { type: 'boolean', default: false },
      g711: { type: 'string', default: 'speaks' },
      'no-truncate': { type: 'boolean', default: false },
      'answers-always': { type: 'boolean', default: false },
      key: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(usage)
  const g711 = (['speaks', 'refuses', 'ignores'] as const).find(each => each === values.g711)
  if (!g711) throw new Error(`--g711 takes refuses or ignores; "${values.g711}" is neither.`)
  const api = new FakeOpenAi({
    clock: systemClock,
    kind: {
      names: values.older ? 'older' : 'new',
      g711,
      truncates: !values['no-truncate'],
      answers: values['answers-always'] ? 'always' : 'as told',
    },
    ...(values.key !== undefined && { apiKey: values.key }),
  })
  const certificate = values.tls ? selfSigned(['localhost', '127.0.0.1'], systemClock.wallMs()) : undefined
  const server = buildFakeServer(api, certificate)
  await listen(server, values.port)
  const { port } = server.address() as AddressInfo
  console.log(`fake-openai ready: ${commandFor(port, certificate?.cert, values.key)}`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(0))
}

async function listen(server: Server, given: string): Promise<void> {
  const wanted = Number(given)
  if (!/^\d{1,5}$/.test(given) || wanted > 65_535)
    throw new Error(`--port takes a number up to 65535; "${given}" is none.`)
  try {
    server.listen(wanted, '127.0.0.1')
    await once(server, 'listening')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new Error(`Port ${given} is taken by another program. Choose another: --port 8091`)
    if (code === 'EACCES')
      throw new Error(`Port ${given} may not be opened by this user. Choose one above 1023: --port`)
    throw error
  }
}

function commandFor(port: number, cert: string | undefined, key: string | undefined): string {
  const keyed = key === undefined ? '' : `OPENAI_API_KEY=${key} `
  if (cert === undefined) return `${keyed}OPENAI_BASE_URL=http://127.0.0.1:${port} npm start`
  const folder = resolve(process.env['STATE_DIR'] ?? '.parley')
  const file = join(folder, 'fake-openai.pem')
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, cert)
  return `NODE_EXTRA_CA_CERTS=${file} ${keyed}OPENAI_BASE_URL=https://127.0.0.1:${port} npm start`
}

main().catch(error => {
  console.error(`fake-openai: ${error instanceof Error ? error.message : error}`)
  process.exit(1)
})
