import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and words, as they came. */
  readonly data: string
}

/** What it does instead of taking mail: answers so, or falls silent, at one of the commands. */
export type MailFault = { readonly at: string; readonly answer: string | 'silent' | 'hangUp' }

/** A server that takes mail by SMTP (RFC 5321), with one name and password (RFC 4954). */
export class MailServer {
  readonly mails: Mail[] = []
  readonly commands: string[] = []
  readonly faults: MailFault[] = []
  readonly #sockets = new Set<Socket>()
  readonly #server = createServer(socket => this.#serve(socket))

  static readonly user = 'parley'
  static readonly password = 'pass word/1'

  static async start(): Promise<MailServer> {
    const server = new MailServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket))
    const say = (line: string) => void socket.write(`${line}\r\n`)
    let [from, to, data]: [string, string[], string[] | undefined] = ['', [], undefined]
    const finish = () => {
      this.mails.push({ from, to, data: data!.join('\r\n') })
      data = undefined
      to = []
      say('250 taken')
    }
    const obey = (line: string) => {
      const [, verb = '', rest = ''] = /^(EHLO|AUTH PLAIN|MAIL FROM:|RCPT TO:|DATA|RSET|QUIT) ?(.*)$/i.exec(line) ?? []
      const address = /<([^>]*)>/.exec(rest)?.[1] ?? ''
      switch (verb.toUpperCase()) {
        case 'EHLO':
          return say('250-mail.example.com\r\n250 AUTH PLAIN')
        case 'AUTH PLAIN':
          return say(isKnown(rest) ? '235 welcome' : '535 5.7.8 who is that')
        case 'MAIL FROM:':
          from = address
          return say('250 ok')
        case 'RCPT TO:':
          to.push(address)
          return say('250 ok')
        case 'DATA':
          data = []
          return say('354 go on')
        case 'RSET':
          return say('250 ok')
        case 'QUIT':
          say('221 bye')
          return void socket.end()
        default:
          return say('500 what')
      }
    }
    createInterface({ input: socket }).on('line', line => {
      if (data) {
        const more = line !== '.'
        if (more) return void data.push(line.replace(/^\./, ''))
        return this.#unlessFault('.', socket, say, finish)
      }
      this.commands.push(line.replace(/^(AUTH PLAIN) .*/, '$1'))
      this.#unlessFault(line, socket, say, () => obey(line))
    })
    this.#unlessFault('connect', socket, say, () => say('220 mail.example.com'))
  }

  #unlessFault(at: string, socket: Socket, say: (line: string) => void, run: () => void): void {
    const index = this.faults.findIndex(fault => at.startsWith(fault.at))
    if (index < 0) return run()
    const [{ answer }] = this.faults.splice(index, 1) as [MailFault]
    if (answer === 'hangUp') socket.destroy()
    else if (answer !== 'silent') say(answer)
  }
}

function isKnown(credentials: string): boolean {
  return Buffer.from(credentials, 'base64').toString() === `\0${MailServer.user}\0${MailServer.password}`
}
