import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

interface Source {
  readonly path: string
  readonly text: string
  readonly lines: number
  /** Paths of this project, from the root. */
  readonly imports: readonly string[]
}

function sources(pattern: string): Source[] {
  return globSync(pattern, { cwd: root })
    .sort()
    .map(path => {
      const text = readFileSync(join(root, path), 'utf8')
      const found = text.matchAll(
        /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'|new URL\('(\.{1,2}\/[^']+)', import\.meta\.url\)/g,
      )
      const imports = [...found].map(match =>
        relative(root, normalize(join(root, dirname(path), match[1] ?? match[2] ?? ''))),
      )
      return { path, text, lines: text.split('\n').length - 1, imports }
    })
}

const code = sources('src/**/*.ts')
const tests = sources('test/**/*.ts')

/** The table "who may import whom" of the design; everyone may import the base files. */
const base = [
  'business',
  'business-destinations',
  'business-tools',
  'business-telephone',
  'business-lookup',
  'business-kept',
  'business-yaml',
  'clock',
  'scope',
  'errors',
  'log',
  'limits',
  'limits-twilio',
  'limits-recording',
  'file-lock',
]
/** What wires the parts together: may import everything. */
const wiring = [
  'main',
  'ready',
  'gateway',
  'engines',
  'own-asterisk',
  'own-desk',
  'own-digests',
  'own-recording',
  'own-test-call',
  'own-twilio',
  'own-kept',
  'own-voicemail',
  'own-work',
  'destinations',
  'commands',
  'config',
  'sip-settings',
  'twilio-settings',
  'kept-settings',
  'setting-reader',
  'secret',
  'state-dir',
]
const mayImport: Readonly<Record<string, readonly string[]>> = {
  debian: [],
  media: [],
  plane: ['media'],
  caller: ['media'],
  call: ['plane/line', 'media'],
  agent: ['call', 'media'],
  telephony: ['call/ports', 'call/events', 'plane/line', 'media/audio', 'debian'],
  providers: ['agent', 'call/ports', 'call/events', 'desk', 'media', 'debian'],
  // Stands for a vendor: it speaks as that vendor's part reads, with the scripted sounds and words.
  'fake-openai': ['providers/scripted', 'providers/openai/protocol', 'agent', 'media'],
  tools: ['agent', 'call/ports', 'call/caller-number'],
  recording: ['call', 'media', 'plane/line', 'plane/takes', 'plane/stages'],
  store: [
    'call/events',
    'call/carrier-events',
    'call/kept-events',
    'call/journal-reader',
    'call/caller-number',
    'call/text-ids',
    'call/ports',
  ],
  desk: ['store', 'call', 'agent', 'recording'],
  twilio: ['desk', 'store', 'recording', 'call', 'tools', 'agent/hours', 'caller'],
  notifiers: ['desk', 'tools'],
  server: ['call', 'desk', 'store', 'recording'],
}

function folderOf(path: string): string {
  return path.split('/')[1]?.replace(/\.ts$/, '') ?? ''
}

function allowed(from: string, to: string): boolean {
  const folder = folderOf(from)
  const target = to.replace(/^src\//, '').replace(/\.ts$/, '')
  if (target.split('/')[0] === folder || base.includes(target)) return true
  const rule = mayImport[folder]
  if (rule === undefined) return wiring.includes(folder)
  return rule.some(each => target === each || target.startsWith(`${each}/`))
}

describe('who imports whom', () => {
  it('reads the whole project', () => {
    expect(code.length).toBeGreaterThan(20)
    expect(code.flatMap(source => source.imports).length).toBeGreaterThan(50)
  })

  it('follows the design', () => {
    const broken = code.flatMap(source =>
      source.imports
        .filter(target => target.startsWith('src/') && !allowed(source.path, target))
        .map(to => `${source.path} -> ${to}`),
    )
    expect(broken).toEqual([])
  })

  it('never reaches from src into tests, scripts or bench', () => {
    expect(
      code.flatMap(source => source.imports).filter(target => !/^(src\/|asterisk|package\.json$)/.test(target)),
    ).toEqual([])
  })

  it('names no vendor and no PBX in media, plane, call, agent and desk', () => {
    const named = code
      .filter(source => ['media', 'plane', 'call', 'agent', 'desk'].includes(folderOf(source.path)))
      .filter(source =>
        /twilio|openai|freepbx|\bari\b|pjsip/i.test(source.text.replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')),
      )
    expect(named.map(source => source.path)).toEqual([])
  })

  it('has no cycles', () => {
    const graph = new Map(code.map(source => [source.path, source.imports]))
    expect(findCycle(graph)).toEqual([])
  })
})

function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]): string[] => {
    const at = trail.indexOf(path)
    if (at >= 0) return [...trail.slice(at), path]
    if (done.has(path)) return []
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path])
      if (cycle.length > 0) return cycle
    }
    done.add(path)
    return []
  }
  for (const path of graph.keys()) {
    const cycle = visit(path, [])
    if (cycle.length > 0) return cycle
  }
  return []
}

/** Where each of these may occur; everywhere else time, chance and configuration are handed in. */
const homes: Readonly<Record<string, { readonly what: RegExp; readonly in: RegExp }>> = {
  timers: { what: /\b(setTimeout|setInterval)\(/, in: /^src\/clock\.ts$/ },
  'the time': { what: /\bDate\.now\(|\bperformance\.now\(|\bnew Date\(\)/, in: /^src\/(clock|commands\/.*)\.ts$/ },
  chance: { what: /\bMath\.random\b/, in: /^src\/(gateway|own-asterisk|plane\/thread|commands\/.*)\.ts$/ },
  'the environment': { what: /\bprocess\.env\b/, in: /^src\/(config|main|commands\/.*)\.ts$/ },
  'the console': { what: /\bconsole\.(log|info|warn|error|debug)\b/, in: /^src\/(main|commands\/.*)\.ts$/ },
}

describe('homes', () => {
  for (const [name, home] of Object.entries(homes)) {
    it(`keeps ${name} at home`, () => {
      const astray = code.filter(source => home.what.test(source.text) && !home.in.test(source.path))
      expect(astray.map(source => source.path)).toEqual([])
    })
  }

  it('sleeps in no test', () => {
    const sleeping = tests
      .filter(source => source.path !== 'test/tidy.test.ts')
      .filter(source => /setTimeout\([^)]*,\s*[0-9_]{3,}|timers\/promises/.test(source.text))
    expect(sleeping.map(source => source.path)).toEqual([])
  })

  it('skips no test', () => {
    const skipping = tests
      .filter(source => source.path !== 'test/tidy.test.ts')
      .filter(source => /\b(it|test|describe)\.(skip|only|todo|skipIf|runIf)\b/.test(source.text))
    expect(skipping.map(source => source.path)).toEqual([])
  })
})

describe('sizes', () => {
  it('keeps a file to one subject: under 400 lines', () => {
    expect(code.filter(source => source.lines > 400).map(source => `${source.path}: ${source.lines}`)).toEqual([])
  })

  it('keeps a function to a page: under 70 lines', () => {
    expect(code.flatMap(source => longFunctions(source))).toEqual([])
  })
})

/** By indentation, which the formatter guarantees: from a line that opens a body to the one that closes it. */
function longFunctions({ path, text }: Source): string[] {
  const lines = text.split('\n')
  const long: string[] = []
  for (const [index, line] of lines.entries()) {
    const opens = /^(\s*)(?:export |async |static |get |set |function |#?[\w$]+\().*\{$/.exec(line)
    if (!opens || /^\s*(if|for|while|switch|interface|class|else|return|const)\b/.test(line)) continue
    const end = lines.findIndex(
      (each, at) => at > index && each.startsWith(`${opens[1]}}`) && !each.startsWith(`${opens[1]}} `),
    )
    if (!/\bclass\b|\binterface\b|\btype\b|= \{$/.test(line) && end - index > 70)
      long.push(`${path}:${index + 1} ${end - index} lines`)
  }
  return long
}

describe('every file', () => {
  it('is reached from a program', () => {
    const entries = [
      ...code.filter(source => /^src\/(main|commands\/[^/]+)\.ts$/.test(source.path)).map(source => source.path),
    ]
    const outside = [...tests, ...sources('bench/**/*.ts'), ...sources('scripts/**/*.ts')].flatMap(
      source => source.imports,
    )
    const graph = new Map(code.map(source => [source.path, source.imports]))
    const reached = new Set<string>()
    const visit = (path: string) => {
      if (reached.has(path)) return
      reached.add(path)
      for (const next of graph.get(path) ?? []) visit(next)
    }
    // The caller is a program of its own: tests and bench are what drives it.
    for (const entry of [...entries, ...outside.filter(path => path.startsWith('src/caller/'))]) visit(entry)
    expect(code.map(source => source.path).filter(path => !reached.has(path))).toEqual([])
  })

  it('names no folder of a machine and no package mirror', () => {
    const texts = [
      ...code,
      ...tests,
      ...sources('scripts/**/*.{ts,mjs}'),
      ...sources('bench/**/*.ts'),
      ...sources('*.md'),
      ...sources('docs/**/*.md'),
      ...sources('asterisk/**/*'),
    ]
    const pattern = new RegExp(
      `/${'work'}/|/${'root'}/|https?://(registry|deb|security|packages|mirror)[.](?!example)[a-z]`,
    )
    expect(texts.filter(source => pattern.test(source.text)).map(source => source.path)).toEqual([])
  })
})
