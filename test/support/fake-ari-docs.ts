/** The part of ARI's own description (Swagger 1.1) that the gateway uses, as Asterisk 22.10.1 serves it. */

interface Operation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly query?: readonly string[]
  readonly body?: string
  readonly answer?: string
}

export const operations: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  asterisk: { ping: { method: 'GET', path: '/asterisk/ping', answer: 'AsteriskPing' } },
  channels: {
    list: { method: 'GET', path: '/channels', answer: 'List[Channel]' },
    answer: { method: 'POST', path: '/channels/{channelId}/answer' },
    sendDTMF: { method: 'POST', path: '/channels/{channelId}/dtmf', query: ['dtmf', 'duration', 'between'] },
    hangup: { method: 'DELETE', path: '/channels/{channelId}', query: ['reason'] },
    continueInDialplan: {
      method: 'POST',
      path: '/channels/{channelId}/continue',
      query: ['context', 'extension', 'priority'],
    },
    getChannelVars: {
      method: 'GET',
      path: '/channels/{channelId}/variables',
      query: ['variables'],
      answer: 'Variables',
    },
    setChannelVars: { method: 'POST', path: '/channels/{channelId}/variables', body: 'variables' },
    create: {
      method: 'POST',
      path: '/channels/create',
      query: ['endpoint', 'app', 'channelId', 'originator'],
      body: 'variables',
      answer: 'Channel',
    },
    dial: { method: 'POST', path: '/channels/{channelId}/dial', query: ['timeout'] },
    startMoh: { method: 'POST', path: '/channels/{channelId}/moh', query: ['mohClass'] },
    stopMoh: { method: 'DELETE', path: '/channels/{channelId}/moh' },
    externalMedia: {
      method: 'POST',
      path: '/channels/externalMedia',
      query: ['channelId', 'app', 'external_host', 'format'],
      answer: 'Channel',
    },
  },
  bridges: {
    list: { method: 'GET', path: '/bridges', answer: 'List[Bridge]' },
    createWithId: { method: 'POST', path: '/bridges/{bridgeId}', query: ['type'], answer: 'Bridge' },
    destroy: { method: 'DELETE', path: '/bridges/{bridgeId}' },
    addChannel: { method: 'POST', path: '/bridges/{bridgeId}/addChannel', query: ['channel'] },
  },
  applications: {
    get: { method: 'GET', path: '/applications/{applicationName}', answer: 'Application' },
    subscribe: {
      method: 'POST',
      path: '/applications/{applicationName}/subscription',
      query: ['eventSource'],
      answer: 'Application',
    },
    filter: {
      method: 'PUT',
      path: '/applications/{applicationName}/eventFilter',
      body: 'filter',
      answer: 'Application',
    },
  },
  recordings: {
    listStored: { method: 'GET', path: '/recordings/stored', answer: 'List[StoredRecording]' },
    getStoredFile: { method: 'GET', path: '/recordings/stored/{recordingName}/file', answer: 'binary' },
    deleteStored: { method: 'DELETE', path: '/recordings/stored/{recordingName}' },
  },
  events: { eventWebsocket: { method: 'GET', path: '/events', query: ['app'], answer: 'Message' } },
}

const channelEvents = [
  'StasisStart',
  'StasisEnd',
  'ChannelDestroyed',
  'ChannelHangupRequest',
  'ChannelDtmfReceived',
  'ChannelHold',
  'ChannelUnhold',
  'ChannelVarset',
]

/** What is served under a path beginning `/ari/api-docs/`; nothing for a path that is not there. */
export function apiDocs(file: string, baseUrl: string): unknown {
  const described = { apiVersion: '2.0.0', swaggerVersion: '1.1', basePath: baseUrl }
  if (file === 'resources.json') {
    return { ...described, apis: Object.keys(operations).map(name => ({ path: `/api-docs/${name}.{format}` })) }
  }
  const resource = file.replace('.json', '')
  const apis = Object.entries(operations[resource] ?? {}).map(([nickname, operation]) => ({
    path: operation.path,
    operations: [describe(nickname, operation)],
  }))
  if (apis.length === 0) return undefined
  return { ...described, resourcePath: `/api-docs/${resource}.{format}`, apis, models: models(resource) }
}

function describe(nickname: string, { method, path, query = [], body, answer = 'void' }: Operation): unknown {
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => parameter(name ?? '', 'path', true))
  const inQuery = query.map(name => parameter(name, 'query', false))
  const inBody = body ? [{ ...parameter(body, 'body', true), dataType: 'containers' }] : []
  return { httpMethod: method, nickname, responseClass: answer, parameters: [...inPath, ...inQuery, ...inBody] }
}

function parameter(name: string, paramType: string, required: boolean) {
  return { name, paramType, required, dataType: 'string', description: '' }
}

function models(resource: string): Record<string, unknown> {
  if (resource !== 'events') return {}
  const channel = { channel: { type: 'Channel', required: true, description: '' } }
  return Object.fromEntries([
    ['ApplicationReplaced', { id: 'ApplicationReplaced', properties: {} }],
    ['Dial', { id: 'Dial', properties: { peer: channel.channel } }],
    ...channelEvents.map(name => [name, { id: name, properties: channel }]),
  ])
}
