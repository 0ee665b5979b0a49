import { createHash, createHmac } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

export const authToken = '0123456789abcdef0123456789abcdef'
export const publicBaseUrl = 'https://parley.example.com'

type FormFields = Readonly<Record<string, string>>

/** By the words of https://www.twilio.com/docs/usage/webhooks/webhooks-security, not by Twilio's own code. */
export function signatureOf(url: string, fields: FormFields = {}, token = authToken): string {
  const written = Object.keys(fields)
    .sort()
    .map(name => `${name}${fields[name]}`)
  return createHmac('sha1', token)
    .update(`${url}${written.join('')}`, 'utf8')
    .digest('base64')
}

/** As Twilio posts it, by way of a proxy that tells its own name. */
export function post(server: FastifyInstance, path: string, fields: FormFields, signature?: string) {
  return server.inject({
    method: 'POST',
    url: path,
    headers: {
      host: '127.0.0.1:3000',
      'content-type': 'application/x-www-form-urlencoded',
      'x-twilio-signature': signature ?? signatureOf(`${publicBaseUrl}${path}`, fields),
    },
    payload: new URLSearchParams(fields).toString(),
  })
}

export function get(server: FastifyInstance, path: string, signature = signatureOf(`${publicBaseUrl}${path}`)) {
  return server.inject({ method: 'GET', url: path, headers: { 'x-twilio-signature': signature } })
}

/** The digest of the body stands in the address, and the address is signed. */
export function postJson(server: FastifyInstance, path: string, text: string, digestOf = text) {
  const digest = createHash('sha256').update(digestOf).digest('hex')
  const url = `${path}${path.includes('?') ? '&' : '?'}bodySHA256=${digest}`
  const headers = { 'content-type': 'application/json', 'x-twilio-signature': signatureOf(`${publicBaseUrl}${url}`) }
  return server.inject({ method: 'POST', url, headers, payload: text })
}
