/** What a route is declared to be, so that each is tried with every kind of token. A route without a case fails the tests. */
interface RouteCase {
  readonly access: 'public' | 'business' | 'operator'
  /** Whose id stands in the path. */
  readonly id?:
    | 'call'
    | 'message'
    | 'text'
    | 'token'
    | 'business'
    | 'outbound'
    | 'recording'
    | 'voicemail'
    | 'job'
    | 'delivery'
  readonly body?: object
  /** With nothing but these; left out: 200. */
  readonly answers?: number
}

export const routeCases: Readonly<Record<string, RouteCase>> = {
  'GET /healthz': { access: 'public' },
  'GET /readyz': { access: 'public' },
  'GET /metrics': { access: 'operator' },
  'GET /openapi.json': { access: 'business' },
  'GET /v1/calls': { access: 'business' },
  'POST /v1/calls': { access: 'business', body: { business: 'dentist', to: '+15550100177' }, answers: 400 },
  'GET /v1/calls/:id': { access: 'business', id: 'call' },
  'POST /v1/calls/:id/hangup': { access: 'business', id: 'call' },
  'POST /v1/calls/:id/transfer': { access: 'business', id: 'call', body: { destination: 'reception' } },
  'DELETE /v1/calls/:id/transfer': { access: 'business', id: 'call' },
  'POST /v1/calls/:id/recording/stop': { access: 'business', id: 'call' },
  'POST /v1/calls/:id/capture': { access: 'operator', id: 'call', body: { seconds: 10 }, answers: 202 },
  'GET /v1/captures': { access: 'operator' },
  'GET /v1/captures/:id/:file': { access: 'operator', answers: 400 },
  'DELETE /v1/captures/:id': { access: 'operator', answers: 404 },
  'GET /v1/recordings': { access: 'business' },
  'GET /v1/recordings/:id': { access: 'business', id: 'recording' },
  'GET /v1/calls/:id/usage': { access: 'business', id: 'call' },
  'GET /v1/usage': { access: 'business' },
  'GET /v1/twilio/test-sip': { access: 'operator' },
  'GET /v1/channels': { access: 'operator' },
  'GET /v1/messages': { access: 'business' },
  'POST /v1/messages/:id/read': { access: 'business', id: 'message' },
  'GET /v1/jobs': { access: 'business' },
  'POST /v1/jobs/:id/retry': { access: 'business', id: 'job', body: {} },
  'POST /v1/jobs/rebuild': { access: 'operator', body: {}, answers: 202 },
  'GET /v1/texts': { access: 'business' },
  'POST /v1/texts': {
    answers: 400,
    access: 'business',
    body: { business: 'dentist', to: '+15550100177', text: 'Until tomorrow' },
  },
  'GET /v1/texts/:id': { access: 'business', id: 'text' },
  'GET /v1/voicemails': { access: 'business' },
  'DELETE /v1/recordings/:id': { access: 'business', id: 'recording' },
  'DELETE /v1/voicemails/:id': { access: 'business', id: 'voicemail' },
  'POST /v1/callers/forget': {
    answers: 404,
    access: 'business',
    body: { business: 'dentist', number: '+15550100177' },
  },
  'GET /v1/deliveries': { access: 'business' },
  'POST /v1/deliveries/:id/repeat': { access: 'business', id: 'delivery' },
  'GET /v1/recordings/:id/audio': { access: 'business', id: 'recording', answers: 404 },
  'GET /v1/voicemails/:id': { access: 'business', id: 'voicemail' },
  'POST /v1/voicemails/:id/transcribe': { access: 'business', id: 'voicemail', answers: 202 },
  'GET /v1/voicemails/:id/audio': { access: 'business', id: 'voicemail', answers: 404 },
  'PATCH /v1/voicemails/:id': { access: 'business', id: 'voicemail', body: { read: true } },
  'GET /v1/outbound': { access: 'business' },
  'GET /v1/outbound/:id': { access: 'business', id: 'outbound' },
  'DELETE /v1/outbound/:id': { access: 'business', id: 'outbound' },
  'GET /v1/do-not-call': { access: 'business' },
  'PUT /v1/do-not-call': { access: 'business', body: { business: 'dentist', number: '+15550100177' } },
  'DELETE /v1/do-not-call': {
    ...{ access: 'business', answers: 404 },
    body: { business: 'dentist', number: '+15550100177' },
  },
  'GET /v1/stats': { access: 'business' },
  'GET /v1/businesses': { access: 'business' },
  'POST /v1/businesses': { access: 'operator', body: { name: 'Another' } },
  'GET /v1/businesses/:id': { access: 'business', id: 'business' },
  'PUT /v1/businesses/:id': { access: 'operator', id: 'business', body: { name: 'Changed' } },
  'GET /v1/numbers': { access: 'operator' },
  'GET /v1/numbers/available': { access: 'operator' },
  'POST /v1/numbers': { access: 'operator', body: { number: '+15550100301', business: 'dentist' } },
  'POST /v1/onboarding': {
    access: 'operator',
    body: { business: { name: 'Bakery' }, number: { take: '+15550100301' } },
  },
  'POST /v1/numbers/:number/fix': { access: 'operator' },
  'PUT /v1/numbers/:number': { access: 'operator', body: { business: 'dentist' } },
  'DELETE /v1/numbers/:number': { access: 'operator', body: { number: '+15550100301' } },
  'GET /v1/tokens': { access: 'operator' },
  'POST /v1/tokens': { access: 'operator', body: { name: 'for the calendar', business: null } },
  'DELETE /v1/tokens/:id': { access: 'operator', id: 'token' },
}

/** The router's own picture: one line a node, four characters a level, methods in brackets. */
export function routesOf(server: { printRoutes(options: { commonPrefix: false }): string }): string[] {
  const trail: string[] = []
  const routes: string[] = []
  for (const line of server.printRoutes({ commonPrefix: false }).split('\n')) {
    const node = /^((?:[│ ] {3})*)[├└]── (.*)$/.exec(line)
    if (!node) continue
    const [, indent = '', text = ''] = node
    const [, path = '', methods] = /^(.*?)(?: \(([A-Z, ]+)\))?$/.exec(text) ?? []
    trail.splice(indent.length / 4, Number.POSITIVE_INFINITY, path)
    for (const method of methods?.split(', ') ?? []) routes.push(`${method} ${trail.join('')}`)
  }
  return routes.sort()
}

/** HEAD is answered as GET is. */
export function caseOf(route: string): RouteCase | undefined {
  return routeCases[route.replace(/^HEAD /, 'GET ')]
}
