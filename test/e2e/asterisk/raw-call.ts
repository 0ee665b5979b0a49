import { randomUUID } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { connect, type Socket } from 'node:net'

interface RawCallOptions {
  readonly port: number
  /** Where the call comes from: the access list judges by it. */
  readonly from?: string
  /** The user part of the request URI and whatever follows the host: `;callSid=1`. */
  readonly user?: string
  readonly parameters?: string
  /** Whole header lines. */
  readonly headers?: readonly string[]
  readonly caller?: string
  readonly codecs?: string
  /** Sends a tone from the answer on. */
  readonly sound?: boolean
}

export interface RawCall {
  /** The final answer to the INVITE. */
  readonly status: number
  readonly answer: string
  /** Settles when the far end says BYE, which is answered. */
  readonly ended: Promise<void>
  hangUp(): Promise<void>
  /** Of a call with sound: one more packet, between those of the tone. */
  sendRtp(payloadType: number, payload: Uint8Array): void
  /** Closes the connection without a word. */
  vanish(): void
}

/** The least of SIP over TCP that a test of the dialplan needs: no sound, no retransmissions. */
export async function rawCall(options: RawCallOptions): Promise<RawCall> {
  const from = options.from ?? '127.0.0.1'
  const socket = connect({ host: '127.0.0.1', port: options.port, localAddress: from })
  const messages = messagesOf(socket)
  const user = options.user ?? 'bianca'
  const uri = `sip:${user}@127.0.0.1:${options.port}${options.parameters ?? ''};transport=tcp`
  const callId = randomUUID()
  const tag = randomUUID().slice(0, 8)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  const local = `sip:${options.caller ?? '+15551230000'}@${from}:${socket.localPort}`
  const send = (method: string, to: string, sequence: number, extra: readonly string[] = [], body = '') => {
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/TCP ${from}:${socket.localPort};branch=z9hG4bK${randomUUID()}`,
      'Max-Forwards: 70',
      `From: <${local}>;tag=${tag}`,
      `To: ${to}`,
      `Call-ID: ${callId}`,
      `CSeq: ${sequence} ${method}`,
      `Contact: <${local};transport=tcp>`,
      ...extra,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`)
  }
  const sound = options.sound ? await toneSource() : undefined
  const sdp = [
    'v=0',
    `o=- 1 1 IN IP4 ${from}`,
    's=-',
    `c=IN IP4 ${from}`,
    't=0 0',
    `m=audio ${sound?.port ?? 9} RTP/AVP ${options.codecs ?? '0 8 101'}`,
    'a=rtpmap:101 telephone-event/8000',
    '',
  ].join('\r\n')
  send('INVITE', `<sip:${user}@127.0.0.1>`, 1, [...(options.headers ?? []), 'Content-Type: application/sdp'], sdp)
  let answer = ''
  do answer = await messages.next()
  while (/^SIP\/2\.0 1/.test(answer))
  const to = /^To: (.*)$/im.exec(answer)?.[1]?.trim() ?? ''
  send('ACK', to, 1)
  const peer = /^m=audio (\d+)/m.exec(answer)?.[1]
  if (peer) sound?.sendTo(Number(peer))
  const ended = answerBye(messages, socket).finally(() => sound?.close())
  return {
    status: Number(/^SIP\/2\.0 (\d{3})/.exec(answer)?.[1]),
    answer,
    ended,
    async hangUp() {
      send('BYE', to, 2)
      await ended
      socket.destroy()
    },
    sendRtp: (payloadType, payload) => sound?.send(payloadType, payload),
    vanish: () => socket.destroy(),
  }
}

/** Speaks mu-law at 20 ms: a square wave of 500 Hz. */
async function toneSource() {
  const socket = createSocket('udp4')
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve))
  const tone = Buffer.alloc(160, 0x90)
  for (let sample = 0; sample < 160; sample++) if (sample % 16 < 8) tone[sample] = 0x10
  let sequence = 0
  let peer = 0
  let timer: NodeJS.Timeout | undefined
  const send = (payloadType: number, payload: Uint8Array) => {
    const header = Buffer.alloc(12)
    header[0] = 0x80
    header[1] = payloadType
    header.writeUInt16BE(sequence & 0xffff, 2)
    header.writeUInt32BE((sequence * 160) >>> 0, 4)
    sequence++
    socket.send([header, payload], peer, '127.0.0.1')
  }
  return {
    port: socket.address().port,
    send,
    sendTo(port: number) {
      peer = port
      timer = setInterval(() => send(0, tone), 20)
    },
    close() {
      clearInterval(timer)
      socket.close()
    },
  }
}

/** Until the call is over: by a BYE of the far end, by its answer to ours, or with the connection. */
async function answerBye(messages: { next(): Promise<string> }, socket: Socket): Promise<void> {
  for (;;) {
    const message = await messages.next()
    if (message === '' || /^CSeq: 2 BYE/im.test(message)) return
    if (!message.startsWith('BYE ')) continue
    const kept = message.split('\r\n').filter(line => /^(Via|From|To|Call-ID|CSeq):/i.test(line))
    socket.write(`SIP/2.0 200 OK\r\n${kept.join('\r\n')}\r\nContent-Length: 0\r\n\r\n`)
    return
  }
}

/** Splits the stream into messages; an empty one means that the connection is closed. */
function messagesOf(socket: Socket): { next(): Promise<string> } {
  const ready: string[] = []
  let waiting: ((message: string) => void) | undefined
  let buffer = Buffer.alloc(0)
  let closed = false
  const deliver = (message: string) => {
    if (!waiting) return void ready.push(message)
    const resolve = waiting
    waiting = undefined
    resolve(message)
  }
  socket.on('error', () => {})
  socket.on('close', () => {
    closed = true
    deliver('')
  })
  socket.on('data', chunk => {
    buffer = Buffer.concat([buffer, chunk])
    for (;;) {
      const end = buffer.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = Number(/^Content-Length: *(\d+)/im.exec(buffer.toString('latin1', 0, end))?.[1] ?? 0)
      if (buffer.length < end + 4 + length) return
      deliver(buffer.toString('utf8', 0, end + 4 + length))
      buffer = buffer.subarray(end + 4 + length)
    }
  })
  return {
    next: () =>
      new Promise(resolve => {
        const message = ready.shift()
        if (message !== undefined) return resolve(message)
        if (closed) return resolve('')
        waiting = resolve
      }),
  }
}
