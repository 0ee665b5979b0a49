/** Of the same server by HTTP, without the version. */
export function httpAddress(baseUrl: string): string {
  return baseUrl.replace(/^ws/, 'http').replace(/\/v1$/, '')
}

/**
 * Where a session is opened. A base address may hold the version or not, and be written for HTTP or for WebSockets: a plain
 * one stays plain.
 */
export function sessionAddress(baseUrl: string, model: string): URL {
  const url = new URL(baseUrl)
  url.protocol = { 'https:': 'wss:', 'http:': 'ws:' }[url.protocol] ?? url.protocol
  url.pathname = `${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}/v1/realtime`
  url.search = new URLSearchParams({ model }).toString()
  return url
}
