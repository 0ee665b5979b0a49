import { type ChildProcess, fork } from 'node:child_process'
import { openSync } from 'node:fs'
import type { Question, Reply, Requests } from './requests.ts'

export interface ChildOptions {
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>
  /** Besides those of this process, which are those of `npm start`. */
  readonly nodeOptions?: readonly string[]
  /** What it prints goes here. */
  readonly logFile?: string
}

/** A program of the bench in a process of its own, and the questions that it answers. */
export class Child<Asked extends Requests> implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>()
  readonly #ended = Promise.withResolvers<void>()
  #questions = 0

  constructor(program: URL, { environment, nodeOptions = [], logFile }: ChildOptions) {
    const output = logFile === undefined ? 'inherit' : openSync(logFile, 'a')
    this.#process = fork(program, [], {
      env: environment,
      execArgv: [...process.execArgv, ...nodeOptions],
      serialization: 'advanced',
      stdio: ['ignore', output, output, 'ipc'],
    })
    this.#process.on('message', (reply: Reply) => this.#settle(reply))
    this.#process.on('exit', (code, signal) => {
      for (const { reject } of this.#pending.values()) reject(new Error(`${program.pathname} ended: ${code ?? signal}`))
      this.#ended.resolve()
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  ask<Name extends keyof Asked & string>(
    name: Name,
    ...[input]: Parameters<Asked[Name]>
  ): Promise<Awaited<ReturnType<Asked[Name]>>> {
    const answered = Promise.withResolvers<unknown>()
    const question: Question = { id: ++this.#questions, name, input }
    this.#pending.set(question.id, answered)
    this.#process.send(question)
    return answered.promise as Promise<Awaited<ReturnType<Asked[Name]>>>
  }

  /** Ends it: a child ends when it is left alone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    await this.#ended.promise
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id)
    this.#pending.delete(reply.id)
    if ('error' in reply) pending?.reject(new Error(reply.error))
    else pending?.resolve(reply.value)
  }
}
