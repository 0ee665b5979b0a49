import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { parseDocument } from 'yaml'
import { loadConfig } from '../config.ts'
import { asError } from '../errors.ts'
import { businessList, storedDocument } from '../server/business-schemas.ts'
import { type Api, ApiRefused, openApi } from './api.ts'

const usage = `The businesses of the running gateway.

  npm run business -- list
  npm run business -- show ID
  npm run business -- export ID [FILE]
  npm run business -- import FILE [--id ID]

  list      all of them, with their numbers
  show      one, as it was written
  export    the same into a file, of the form of business.example.yaml
  import    makes a business of such a file, or changes the one whose id stands in it or is given: from the next call on

  --id      of the business that is changed, or made when there is none`

const YAML = 'application/yaml'

await main().catch(error => {
  console.error(`business: ${asError(error).message}`)
  process.exitCode = 1
})

async function main(): Promise<void> {
  const options = { id: { type: 'string' }, help: { type: 'boolean', default: false } } as const
  const { values, positionals } = parseArgs({ options, allowPositionals: true })
  const [command = '', one, file, ...rest] = positionals
  const isWrong = rest.length > 0 || (file !== undefined && command !== 'export')
  if (values.help) return console.log(usage)
  const api = async () => openApi(loadConfig(process.cwd()).config)
  if (command === 'list' && one === undefined) return list(await api())
  if (command === 'show' && one !== undefined && !isWrong) return console.log(await written(await api(), one))
  if (command === 'export' && one !== undefined && !isWrong) return exportTo(file, await written(await api(), one))
  if (command === 'import' && one !== undefined && !isWrong) return importFrom(one, values.id, await api())
  throw new Error(`that is none of its commands.\n\n${usage}`)
}

async function list(api: Api): Promise<void> {
  const { businesses } = await api.get('/v1/businesses', businessList)
  for (const { id, name, active, numbers } of businesses) {
    console.log([id, name, ...numbers, ...(active ? [] : ['(not active: calls are refused)'])].join('  '))
  }
}

async function written(api: Api, id: string): Promise<string> {
  return (await api.getText(pathOf(id), YAML)).trimEnd()
}

async function exportTo(file: string | undefined, text: string): Promise<void> {
  if (file === undefined) return console.log(text)
  await writeFile(file, `${text}\n`, { flag: 'wx' }).catch(error => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new Error(`${file} is there already: remove it, or name another.`)
  })
}

async function importFrom(file: string, chosenId: string | undefined, api: Api): Promise<void> {
  const document = parseDocument(await readFile(file, 'utf8'))
  if (document.errors[0]) throw new Error(`${file} is not valid YAML: ${document.errors[0].message}`)
  if (chosenId !== undefined) document.set('id', chosenId)
  const id = document.get('id')
  const body = { type: YAML, text: document.toString() }
  const isKnown =
    id !== undefined && (await api.get('/v1/businesses', businessList)).businesses.some(each => each.id === id)
  const { id: made } = await (isKnown
    ? api.send('PUT', pathOf(String(id)), body, storedDocument)
    : api.send('POST', '/v1/businesses', body, storedDocument)
  ).catch(error => {
    throw error instanceof ApiRefused ? new Error([error.message, ...error.problems].join('\n  - ')) : error
  })
  console.log(isKnown ? `${made} has changed; the next call gets it.` : `${made} is new.`)
}

function pathOf(id: string): string {
  return `/v1/businesses/${encodeURIComponent(id)}`
}
