import { write, writeSync } from 'node:fs'
import { type Logger, pino } from 'pino'
import { systemClock } from './clock.ts'
import { limits } from './limits.ts'

export type Log = Logger

const RETRY_MS = 50

/**
 * What a caller said, and who the caller is, may be logged only under `private`, and is cut out here unless an operator
 * asks for it. Secrets are never passed to a log at all; the names below are a second wall.
 */
const redacted = ['private', 'password', 'secret', 'token', 'authorization'].flatMap(key => [
  key,
  `*.${key}`,
  `*.*.${key}`,
  `*.*.*.${key}`,
])

export function createLog(level: string, destination: { write(line: string): void } = standardOutput()): Log {
  return pino({ level, base: null, redact: { paths: redacted, censor: '[redacted]' } }, destination)
}

/** One for the whole program: lines of several logs stay in order, and its end waits for one. */
let output: LineWriter | undefined

function standardOutput(): LineWriter {
  if (output) return output
  const opened = new LineWriter(process.stdout.fd)
  process.on('exit', () => opened.flush())
  output = opened
  return opened
}

/**
 * Writes lines where they may not be taken: to a terminal that was closed or stopped, to a file on a full disk. Nobody waits
 * for it: what is not taken is lost beyond a bound, and so is what fails. (pino's own writer tries for ever when the program
 * ends.)
 */
class LineWriter {
  readonly #descriptor: number
  #waiting = ''
  #writing = false

  constructor(descriptor: number) {
    this.#descriptor = descriptor
  }

  write(line: string): void {
    if (this.#waiting.length + line.length > limits.log.waitingChars) return
    this.#waiting += line
    if (!this.#writing) this.#writeWaiting()
  }

  /** At the end of the program: what is waiting is tried once more. */
  flush(): void {
    try {
      writeSync(this.#descriptor, this.#waiting)
    } catch {}
    this.#waiting = ''
  }

  #writeWaiting(): void {
    this.#writing = this.#waiting !== ''
    if (!this.#writing) return
    const bytes = Buffer.from(this.#waiting)
    this.#waiting = ''
    this.#send(bytes)
  }

  #send(bytes: Buffer): void {
    write(this.#descriptor, bytes, (error, written) => {
      if (error?.code === 'EAGAIN') systemClock.after(RETRY_MS, () => this.#send(bytes))
      else if (!error && written < bytes.length) this.#send(bytes.subarray(written))
      else this.#writeWaiting()
    })
  }
}
