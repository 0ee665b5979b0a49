import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProviderRequests } from '../programs/provider.ts'
import { Child } from './child.ts'
import type { Surroundings } from './house.ts'

const certificateFile = join(import.meta.dirname, '../../.parley/bench-provider.pem')

/** The double of the provider, and what a gateway must be told to talk to it. */
export class Provider implements AsyncDisposable {
  readonly #child: Child<ProviderRequests>
  readonly ask: Child<ProviderRequests>['ask']
  readonly surroundings: Surroundings

  private constructor(child: Child<ProviderRequests>, environment: Readonly<Record<string, string>>) {
    this.#child = child
    this.ask = (...question) => child.ask(...question)
    this.surroundings = {
      environment: { AGENT_ENGINE: 'realtime', OPENAI_API_KEY: 'sk-bench', ...environment },
      watched: { double: { pid: child.pid } },
    }
  }

  static async open(options: { tls: boolean; replyMs: number }): Promise<Provider> {
    const program = new URL('../programs/provider.ts', import.meta.url)
    const child = new Child<ProviderRequests>(program, { environment: { PATH: process.env['PATH'] ?? '' } })
    const { port, cert } = await child.ask('open', options)
    if (cert === undefined) return new Provider(child, { OPENAI_BASE_URL: `http://127.0.0.1:${port}` })
    await writeFile(certificateFile, cert)
    return new Provider(child, {
      OPENAI_BASE_URL: `https://127.0.0.1:${port}`,
      NODE_EXTRA_CA_CERTS: certificateFile,
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]()
    await rm(certificateFile, { force: true })
  }
}
