import webhooks from 'twilio/lib/webhooks/webhooks.js'

/** A request as it came, with the address that Twilio asked: the public one, whatever a proxy has made of it. */
export interface SignedRequest {
  readonly url: string
  /** Of the header X-Twilio-Signature. */
  readonly signature: string | undefined
  /** `none`: GET, whose parameters stand in the address. */
  readonly body:
    | { readonly kind: 'none' }
    | { readonly kind: 'form'; readonly fields: Fields }
    /** As it was received: its digest stands in the address, and the address alone is signed. */
    | { readonly kind: 'json'; readonly text: string }
}

/** A name that came several times has all of its values. */
export type Fields = Readonly<Record<string, string | readonly string[]>>

/** base64 of a SHA-1, https://www.twilio.com/docs/usage/webhooks/webhooks-security */
const signatureForm = /^[A-Za-z0-9+/]{27}=$/

/**
 * Whether Twilio has sent it: by the account's auth token, with which alone it signs (an API key's secret does not verify).
 * Anything that is not known to be right is wrong.
 */
export function isSigned(authToken: string, { url, signature, body }: SignedRequest): boolean {
  if (authToken === '' || signature === undefined || !signatureForm.test(signature) || !URL.canParse(url)) return false
  if (body.kind === 'json') return webhooks.validateRequestWithBody(authToken, signature, url, body.text)
  return webhooks.validateRequest(authToken, signature, url, body.kind === 'form' ? body.fields : {})
}
