import { spawn } from 'node:child_process'
import type { Clock } from '../clock.ts'
import { limits } from '../limits.ts'

export interface CommandResult {
  /** Undefined when it could not be started or did not end in time. */
  readonly code: number | undefined
  readonly stdout: string
  /** Ends with the reason when the command could not be run. */
  readonly stderr: string
}

interface Options {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly environment?: Readonly<Record<string, string | undefined>>
  readonly directory?: string
  /** Ends the program before its time. */
  readonly signal?: AbortSignal
}

/** Runs a program to its end. Never rejects; a program that is not there has no exit code. */
export function runCommand([program = '', ...args]: readonly string[], options: Options): Promise<CommandResult> {
  return new Promise(resolve => {
    let stdout = ''
    let stderr = ''
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.environment && { env: options.environment }),
      ...(options.directory && { cwd: options.directory }),
    })
    const cancelTimeout = options.clock.after(options.timeoutMs, () => {
      stderr += `\n${program} did not end within ${options.timeoutMs / 1_000} s`
      child.kill('SIGKILL')
    })
    const kill = () => child.kill('SIGKILL')
    if (options.signal?.aborted) kill()
    options.signal?.addEventListener('abort', kill, { once: true })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout = (stdout + text).slice(-limits.debian.commandOutputChars)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-limits.debian.commandOutputChars)
    })
    const finish = (code: number | null) => {
      cancelTimeout()
      options.signal?.removeEventListener('abort', kill)
      resolve({ code: code ?? undefined, stdout, stderr })
    }
    child.on('error', error => {
      stderr += error.message
      finish(null)
    })
    child.on('close', finish)
  })
}
