import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { readConfig, variables } from '../src/config.ts'
import { createLog } from '../src/log.ts'

const text = (file: string) => readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')

describe('.env.example', () => {
  const blocks = text('.env.example').split(/\n{2,}/)
  const setting = /^# ?([A-Z][A-Z_]*)=(.*)$/gm

  it('has every variable that is read, no other, and its default', () => {
    const found = [...text('.env.example').matchAll(setting)].map(([, name = '', value = '']) => [name, value] as const)
    expect(new Set(found.map(([name]) => name)).size).toBe(found.length)
    expect(Object.fromEntries(found)).toEqual(Object.fromEntries(variables()))
    expect(found.length).toBeGreaterThan(30)
  })

  it('explains each, in groups', () => {
    const withSettings = blocks.filter(block => block.match(setting))
    for (const block of withSettings) expect(block.split('\n')[0], block).toMatch(/^# [A-Za-z].{20,}|^# The path/)
    expect(blocks.filter(block => /^# --- .* ---$/.test(block)).length).toBeGreaterThan(5)
  })

  it('can be taken as it is: nothing in it is set', () => {
    expect(text('.env.example').match(/^[^#\n]/gm)).toBeNull()
  })
})

describe("README's table of settings", () => {
  const table = text('README.md').split('## Configure it')[1]?.split('\n## ')[0] ?? ''
  const rows = table
    .split('\n')
    .filter(line => line.startsWith('| `'))
    .map(line => line.split('|').map(cell => cell.trim().replaceAll('`', '')))
  const told = rows.flatMap(([, names = '', defaults = '']) => {
    const values = defaults.split(', ')
    return names.split(', ').map((name, at) => [name, values[at] ?? ''] as const)
  })
  /** How the table says what the program computes. */
  const inWords: Readonly<Record<string, string>> = {
    generated: '',
    'from the port range': '',
    'in STATE_DIR': '',
    'loopback and private ranges': variables().get('LOCAL_NETWORKS') ?? 'unknown',
  }

  it('has every variable that is read, no other, and its default', () => {
    const defaults = told.map(([name, value]) => [name, inWords[value] ?? value])
    expect(Object.fromEntries(defaults)).toEqual(Object.fromEntries(variables()))
  })
})

describe('a secret of the configuration', () => {
  const secrets = {
    API_TOKEN: 'secret-api-token-1',
    ARI_PASSWORD: 'secret-ari-password',
    OPENAI_API_KEY: 'secret-openai-key',
    TWILIO_AUTH_TOKEN: 'secret-auth-token',
    TWILIO_API_SECRET: 'secret-api-secret',
    SMTP_URL: 'smtps://parley:secret-smtp@mail.example.com',
    SMTP_FROM: 'parley@example.com',
  }

  it('shows wherever it is asked for, and nowhere else: not printed, not in JSON, not in a log', () => {
    const config = readConfig(secrets)
    expect(config.openai.apiKey?.reveal()).toBe(secrets.OPENAI_API_KEY)
    const lines: string[] = []
    createLog('info', { write: line => lines.push(line) }).info(
      { config, key: config.openai.apiKey },
      `${config.apiToken}`,
    )
    const shown = [inspect(config, { depth: 9, showHidden: true }), JSON.stringify(config), ...lines].join('\n')
    expect(shown).toContain('[secret]')
    expect(shown).not.toContain('secret-')
  })
})
