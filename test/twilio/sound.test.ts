import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { limits } from '../../src/limits.ts'
import { Secret } from '../../src/secret.ts'
import { redirectIn, soundOf } from '../../src/twilio/sound.ts'
import { until } from '../support/until.ts'

const from = new URL('https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE1.wav')
const to = (location: string, status = 302, base = from) =>
  redirectIn({ status, headers: new Headers({ location }) }, base)?.href

it('follows Twilio to where it keeps a recording', () => {
  expect(to('https://media.twilio.com/a?b=c')).toBe('https://media.twilio.com/a?b=c')
  expect(to('/elsewhere.wav', 307)).toBe('https://api.twilio.com/elsewhere.wav')
  expect(to('https://anywhere.example.com/', 200)).toBeUndefined()
  const double = new URL('http://127.0.0.1:4000/a')
  expect(to('/b', 302, double)).toBe('http://127.0.0.1:4000/b')
})

it.each([
  'https://twilio.com.example.com/a',
  'https://eviltwilio.com/a',
  'http://media.twilio.com/a',
  'https://media.twilio.com:8443/a',
  'http://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  '//127.0.0.1/a',
  'https://',
])('and nowhere else: %j', location => {
  expect(() => to(location)).toThrow('an address that is none of the carrier')
})

/** As it came over the socket: whom it was asked of, and with what. */
interface Asked {
  readonly url: string
  readonly authorization: string | undefined
}

async function listening(answer: (url: string, response: ServerResponse) => void) {
  const asked: Asked[] = []
  const server = createServer((request: IncomingMessage, response) => {
    const url = request.url ?? ''
    asked.push({ url, authorization: request.headers.authorization })
    answer(url, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { asked, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

const recording = `RE${'1'.repeat(32)}`
const recordingPath = `/2010-04-01/Accounts/AC1/Recordings/${recording}.wav`
const fetched = (baseUrl: string) => {
  const account = { accountSid: 'AC1', authToken: new Secret('token'), apiKey: undefined, apiSecret: undefined }
  return soundOf(recording, { ...account, baseUrl }, new AbortController().signal)
}

function wavOf(bytes: number): Buffer {
  const sound = Buffer.alloc(bytes, 1)
  sound.write('RIFF', 0, 'latin1')
  sound.writeUInt32LE(bytes - 8, 4)
  sound.write('WAVE', 8, 'latin1')
  return sound
}

it('is fetched from where Twilio keeps it, whole, and without the keys', async () => {
  const sound = wavOf(40_000)
  const twilio = await listening((url, response) => {
    if (url === recordingPath) response.writeHead(307, { location: '/kept/it.wav?signed=yes' }).end('elsewhere')
    else response.writeHead(200, { 'content-type': 'audio/x-wav' }).end(sound)
  })
  expect(Buffer.compare(await fetched(twilio.url), sound)).toBe(0)
  expect(twilio.asked).toEqual([
    { url: recordingPath, authorization: `Basic ${Buffer.from('AC1:token').toString('base64')}` },
    { url: '/kept/it.wav?signed=yes', authorization: undefined },
  ])
})

it.each([301, 302, 303, 307, 308])(
  'is not fetched from a server that is none of Twilio, which hears nothing: %i',
  async status => {
    const stranger = await listening((_, response) => response.writeHead(200).end(wavOf(1_000)))
    const twilio = await listening((_, response) =>
      response.writeHead(status, { location: `${stranger.url}/it.wav` }).end(),
    )
    await expect(fetched(twilio.url)).rejects.toMatchObject({
      forGood: true,
      message: expect.stringContaining('none of'),
    })
    expect([twilio.asked.length, stranger.asked]).toEqual([1, []])
  },
)

it('is not led on by whoever it was led to, and not in a circle', async () => {
  const stranger = await listening((_, response) => response.writeHead(200).end(wavOf(1_000)))
  const twilio = await listening((url, response) => {
    const location = url === recordingPath ? '/second.wav' : `${stranger.url}/third.wav`
    response.writeHead(302, { location }).end()
  })
  await expect(fetched(twilio.url)).rejects.toThrow('the carrier answered 302')
  expect([twilio.asked.length, stranger.asked]).toEqual([2, []])
})

it.each(['at once', 'after a redirect'])('is not taken in beyond its bound, however much comes: %s', async when => {
  const { bytes } = limits.twilio.recording
  let closed = false
  const twilio = await listening((url, response) => {
    if (when === 'after a redirect' && url === recordingPath)
      return void response.writeHead(302, { location: '/kept.wav' }).end()
    response.on('close', () => {
      closed = true
    })
    response.writeHead(200)
    const piece = wavOf(256 * 1024)
    // For ever, as far as anybody takes it.
    const go = () => {
      while (!closed && response.write(piece));
      if (!closed) response.once('drain', go)
    }
    go()
  })
  await expect(fetched(twilio.url)).rejects.toMatchObject({
    forGood: true,
    message: `it is larger than ${bytes} bytes`,
  })
  await until(() => closed)
})
