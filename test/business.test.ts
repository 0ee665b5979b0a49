import { mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { defaultSettings, settingsOf } from '../src/agent/settings.ts'
import { readBusiness, watchBusinessFile } from '../src/business.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'parley-business-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const defaults = { name: 'Parley', phone: '+15550100200', ownerPhone: '+15550100201', engine: 'scripted' as const }

function openFile(text: string) {
  const file = join(folder, 'business.yaml')
  let seconds = 1_700_000_000
  const write = (content: string) => {
    writeFileSync(file, content)
    utimesSync(file, ++seconds, seconds)
  }
  write(text)
  const watch = watchBusinessFile({ ...defaults, file })
  return { write, watch }
}

function readText(text: string) {
  return openFile(text).watch()!.business
}

describe('a business', () => {
  it('is filled from the environment when there is no file', () => {
    const business = readBusiness({ ...defaults, file: undefined })
    expect(business).toMatchObject({ id: 'parley', name: 'Parley', numbers: ['+15550100200'], engine: 'scripted' })
    expect(business.notify.phone).toBe('+15550100201')
    expect(business.greeting).toContain('Parley')
  })

  it('reads the documented example', () => {
    const business = readBusiness({ ...defaults, file: join(import.meta.dirname, '../business.example.yaml') })
    expect(business.services.length).toBeGreaterThan(0)
    expect(business.destinations.length).toBeGreaterThan(0)
    expect(Object.keys(business.hours)).toContain('monday')
  })

  it('reads the tools of the documented example, whose secrets the environment has', () => {
    const text = readFileSync(join(import.meta.dirname, '../business.example.yaml'), 'utf8')
    const from = text.indexOf('# tools:')
    const block = text.slice(from).match(/^(#( {3,}.*| tools:)\n)+/)![0]
    const file = join(folder, 'business.yaml')
    writeFileSync(file, text.replace(block, block.replaceAll(/^# /gm, '')))
    const open = (environment: Record<string, string>) => readBusiness({ ...defaults, file, environment })
    expect(open({ TOOL_PRACTICE_KEY: 'secret' }).tools).toMatchObject([
      { name: 'find_appointment', effect: 'read' },
      { name: 'cancel_appointment', effect: 'write' },
    ])
    expect(() => open({})).toThrow(/does not have: TOOL_PRACTICE_KEY/)
  })

  it('names every problem of a wrong file in words', () => {
    const open = () =>
      readText(
        'name: ""\nnumbers: [555]\ntimeZone: Mars/Base\nhours: { monday: [{ from: "9", to: "17:00" }] }\ncolour: red\n',
      )
    expect(open).toThrow(/name/)
    expect(open).toThrow(/numbers\.0/)
    expect(open).toThrow(/timeZone: must be a time zone/)
    expect(open).toThrow(/hours\.monday\.0\.from: must be a time of day/)
    expect(open).toThrow(/colour/)
    expect(() => readText('name: [')).toThrow(/not valid YAML/)
    expect(() => readText('name: Desk\nname: Other\n')).toThrow(/not valid YAML.*name stands there twice/)
    expect(() => readBusiness({ ...defaults, file: join(folder, 'nowhere.yaml') })).toThrow(/BUSINESS_FILE/)
  })

  it.each(['+02:00', '+0530', '-03', 'BST', 'EST5EDT'])(
    'refuses %s as a time zone: a database takes it for another',
    timeZone => {
      expect(() => readText(`name: Desk\ntimeZone: "${timeZone}"\n`)).toThrow(/timeZone: must be a time zone/)
    },
  )

  it.each(['UTC', 'Europe/Zurich', 'america/argentina/ushuaia', 'Etc/GMT+5'])('takes %s as a time zone', timeZone => {
    expect(readText(`name: Desk\ntimeZone: ${timeZone}\n`).timeZone).toBe(timeZone)
  })

  it('refuses characters that no database takes, wherever they stand', () => {
    const open = () => readText('name: "a\\0b"\nservices: [{ name: "\\ud800", minutes: 5 }]\n')
    expect(open).toThrow(/name: holds characters that are none/)
    expect(open).toThrow(/services\.0\.name: holds characters that are none/)
  })

  it('wants names of destinations that can be dialled and told apart', () => {
    const problemsWith = (...names: string[]) => {
      const destinations = names.map(name => `  - { name: "${name}", address: "sip:2000@192.0.2.10" }\n`).join('')
      return () => readText(`name: Desk\ndestinations:\n${destinations}`)
    }
    expect(problemsWith('Front desk', 'Front  Desk!')).toThrow(
      /destinations\.1\.name: "Front {2}Desk!" and "Front desk" are the same .*front-desk.*; choose names/,
    )
    for (const reserved of ['Fallback', 'trunk', '(trunk)'])
      expect(problemsWith(reserved)).toThrow(/destinations\.0\.name: .* has a meaning of its own; choose another/)
    for (const empty of ['!', '-', '受付', '2nd desk', 'x'.repeat(32)])
      expect(problemsWith(empty)).toThrow(/destinations\.0\.name: .* must begin with a letter from a to z/)
    expect(problemsWith('desk', 'Front desk', 'front-office', 'x'.repeat(31))().destinations).toHaveLength(4)
  })

  it.each([
    ['keys: { "12": desk }', /transfers\.keys\.12: must be one key of a telephone: 0 to 9, \* or #/],
    ['webhook: ftp://desk.example.com', /transfers\.webhook: must be an address of http or https/],
    ['waiting: silence', /transfers\.waiting: .*"ringing"\|"music"/],
    ['person: nobody', /transfers\.person: "nobody" is none of the business's destinations \(there are: desk\)/],
    ['keys: { "0": nobody }', /transfers\.keys\.0: "nobody" is none/],
    ['onFailure: nobody', /transfers\.onFailure: "nobody" is none/],
  ])('tells in words what is wrong of transfers: %s', (transfers, words) => {
    const desk = '  - { name: desk, address: "sip:2000@192.0.2.10" }'
    expect(() => readText(`name: Desk\ndestinations:\n${desk}\ntransfers: { ${transfers} }\n`)).toThrow(words)
  })

  it('is looked at again only when its file changes, and a wrong change is told once', () => {
    const { write, watch } = openFile('name: First')
    const look = () => watch()?.business.name
    expect([look(), look()]).toEqual(['First', undefined])
    write('name: Second')
    expect([look(), look()]).toEqual(['Second', undefined])
    write('nome: Third')
    expect(look).toThrow(/nome/)
    expect(look()).toBeUndefined()
    write('name: Third')
    expect(look()).toBe('Third')
  })

  it('tells what it has chosen as it was written, and by a mark whether that is the same as before', () => {
    const { write, watch } = openFile('name: First\nnumbers: []')
    const first = watch()!
    expect(first.choice).toEqual({ name: 'First', numbers: [] })
    expect(first.business).toMatchObject({ id: 'first', active: true, numbers: ['+15550100200'] })
    write('name: Second')
    expect(watch()!.hash).not.toBe(first.hash)
    write('name: First\nnumbers: []')
    expect(watch()!.hash).toBe(first.hash)
  })

  it('may not choose an engine that cannot be used, nor later', () => {
    const unusable = { realtime: 'needs a key' }
    const file = join(folder, 'business.yaml')
    writeFileSync(file, 'name: First\nengine: realtime')
    const watch = watchBusinessFile({ ...defaults, file, unusable })
    expect(watch).toThrow(/business\.yaml: the business has 1 problem\(s\):\n {2}- engine: realtime needs a key$/)
    writeFileSync(file, 'name: First')
    expect(watch()!.business.engine).toBe('scripted')
    writeFileSync(file, 'name: Second\nengine: realtime')
    expect(watch).toThrow(/realtime needs a key/)
  })

  it('is told to be out of reach when the way to its file is barred', () => {
    const { watch } = openFile('name: First')
    watch()
    rmSync(join(folder, 'business.yaml'))
    symlinkSync('business.yaml', join(folder, 'business.yaml'))
    expect(watch).toThrow(/BUSINESS_FILE cannot be read/)
    expect(watch()).toBeUndefined()
  })

  it('talks in its own way, and for the rest as the gateway is set', () => {
    const file = join(folder, 'talks.yaml')
    writeFileSync(file, 'name: A\nconversation: { noInputSeconds: [4], phrases: { goodbye: Bye. } }')
    const conversation = { maxSeconds: 90, warnSeconds: 20, noInputSeconds: [8] }
    const business = readBusiness({ ...defaults, file, conversation })
    const settings = settingsOf(business, defaultSettings)
    expect(settings.turn).toEqual({
      ...defaultSettings.turn,
      noInputMs: [4_000],
      durationMs: 90_000,
      warnBeforeEndMs: 20_000,
    })
    expect(settings.phrases).toEqual({ ...defaultSettings.phrases, goodbye: 'Bye.' })
    expect(settingsOf({ conversation: {}, destinations: [], transfers: {} }, defaultSettings)).toEqual(defaultSettings)
  })

  it('warns of the end within the call', () => {
    expect(() => readText('name: A\nconversation: { maxSeconds: 30, warnSeconds: 30 }')).toThrow(/must come within/)
    expect(() => readText('name: A\nconversation: { noInputSeconds: [0] }')).toThrow(/conversation.noInputSeconds.0/)
    expect(() => readText('name: A\nconversation: { phrases: { hello: Hi. } }')).toThrow(/hello/)
  })
})
