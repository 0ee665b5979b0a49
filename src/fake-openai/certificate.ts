import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** A key and a certificate that it has signed itself, for one that is to be trusted on this machine alone. In PEM. */
export interface Certificate {
  readonly key: string
  readonly cert: string
}

const YEAR_MS = 365 * 86_400_000
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const ALTERNATIVE_NAMES = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'

/** For these names and IPv4 addresses, a year from now (RFC 5280). */
export function selfSigned(hosts: readonly string[], nowMs: number): Certificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const algorithm = sequence(objectId(ECDSA_SHA256))
  const body = bodyOf(hosts, nowMs, privateKey, algorithm)
  const signature = sign('sha256', body, privateKey)
  const certificate = sequence(body, algorithm, tagged(0x03, Buffer.concat([Buffer.of(0), signature])))
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  }
}

function bodyOf(hosts: readonly string[], nowMs: number, privateKey: KeyObject, algorithm: Buffer): Buffer {
  const name = sequence(
    tagged(0x31, sequence(objectId(COMMON_NAME), tagged(0x0c, Buffer.from(hosts[0] ?? 'localhost')))),
  )
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const names = hosts.map(host =>
    /^[\d.]+$/.test(host) ? tagged(0x87, Buffer.from(host.split('.').map(Number))) : tagged(0x82, Buffer.from(host)),
  )
  const authority = sequence(tagged(0x01, Buffer.of(0xff)))
  return sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(Buffer.concat([Buffer.of(1), Buffer.from(String(nowMs))])),
    algorithm,
    name,
    sequence(time(nowMs - 86_400_000), time(nowMs + YEAR_MS)),
    name,
    publicKey,
    tagged(
      0xa3,
      sequence(
        sequence(objectId(ALTERNATIVE_NAMES), tagged(0x04, sequence(...names))),
        sequence(objectId(BASIC_CONSTRAINTS), tagged(0x01, Buffer.of(0xff)), tagged(0x04, authority)),
      ),
    ),
  )
}

/** DER: tag, length, value. */
function tagged(tag: number, value: Buffer): Buffer {
  const { length } = value
  const prefix = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.of(tag, ...prefix), value])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function integer(value: Buffer): Buffer {
  return tagged(0x02, value)
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
  return tagged(0x17, Buffer.from(digits.slice(2)))
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.from([40 * first + second, ...rest.flatMap(sevenBits)]))
}

function sevenBits(value: number): number[] {
  const bytes = [value & 0x7f]
  for (let left = value >> 7; left > 0; left >>= 7) bytes.unshift((left & 0x7f) | 0x80)
  return bytes
}
