/** Where Twilio reaches Parley; beneath PUBLIC_BASE_URL. */
export type TwilioPath =
  | '/v1/twilio/call'
  | '/v1/twilio/dial-result'
  | '/v1/twilio/status'
  | '/v1/twilio/answered-by'
  | '/v1/twilio/recording'
  | '/v1/twilio/voicemail'
  | '/v1/twilio/sms'
  | '/v1/twilio/whatsapp'
  | '/v1/twilio/message-status'
  | '/v1/twilio/transfer'
  | '/v1/twilio/transfer-status'

/** Every address that Twilio is given: it signs what it asks as it stands here. */
export function addressOf(
  publicBaseUrl: string,
  path: TwilioPath,
  query: Readonly<Record<string, string>> = {},
): string {
  const pairs = Object.entries(query).map(pair => pair.map(each => encodeURIComponent(each.toWellFormed())).join('='))
  return `${publicBaseUrl}${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`
}

/** What a number of the account must have, by the names that Twilio's client has for it. */
export function webhooksFor(publicBaseUrl: string) {
  const voiceUrl = addressOf(publicBaseUrl, '/v1/twilio/call')
  return {
    voiceUrl,
    voiceMethod: 'POST',
    // Another attempt: what failed may have been the way there.
    voiceFallbackUrl: voiceUrl,
    voiceFallbackMethod: 'POST',
    statusCallback: addressOf(publicBaseUrl, '/v1/twilio/status'),
    statusCallbackMethod: 'POST',
    smsUrl: addressOf(publicBaseUrl, '/v1/twilio/sms'),
    smsMethod: 'POST',
  } as const
}
