import {
  type Business,
  type BusinessDefaults,
  type Choice,
  type ChosenByFile,
  judgeChoice,
  watchBusinessFile,
} from '../business.ts'
import { destinationKey } from '../business-destinations.ts'
import { type Clock, every } from '../clock.ts'
import { asError, GatewayError, isCode } from '../errors.ts'
import { limits } from '../limits.ts'
import type { BusinessChange, StoredBusiness, Written } from './businesses.ts'
import type { OwnBusiness, SnapshotFile } from './snapshot.ts'

/** The businesses in the database. Whatever is asked rejects while it is away. */
export interface BusinessRecords {
  versions(): Promise<ReadonlyMap<string, number>>
  read(ids: readonly string[]): Promise<readonly StoredBusiness[]>
  create(change: BusinessChange): Promise<Written>
  change(change: BusinessChange, ifVersion?: readonly number[]): Promise<Written>
}

export type Answer =
  | Written
  | { readonly kind: 'wrong'; readonly problems: readonly string[] }
  | { readonly kind: 'full' }

export interface DirectoryDependencies {
  readonly defaults: BusinessDefaults
  /** Neither by a file nor by the environment was anything chosen: what is then the business comes into an empty database only. */
  readonly nothingChosen: boolean
  /** For a start without the database. */
  readonly snapshot: Pick<SnapshotFile, 'read' | 'write' | 'written'>
  readonly records: BusinessRecords
  /** Other gateways have the same database. */
  readonly shared: boolean
  readonly clock: Clock
  /** In words, for the log. */
  readonly told: (text: string) => void
  readonly trouble: (text: string) => void
  /** A business was made or has changed, and calls for it get the new one from here on. */
  readonly changed: (now: Business, before: Business | undefined) => void
}

interface Entry {
  readonly stored: StoredBusiness
  readonly business: Business
}

/**
 * All businesses, in memory: what a call asks never waits for the database. At first they are those of the snapshot and of
 * BUSINESS_FILE; then those of the database, and whatever changes there.
 */
export class Directory {
  readonly #with: DirectoryDependencies
  readonly #watch: () => ChosenByFile | undefined
  readonly #entries = new Map<string, Entry>()
  #numbers: ReadonlyMap<string, Business> = new Map()
  #own: OwnBusiness | undefined
  #file: ChosenByFile
  /** What the file has chosen is in force, and not in the database yet. */
  #pending = false
  /** The database has refused it: not asked again. */
  #refusedHash: string | undefined
  /** A change has failed, or has come about all the same. */
  #doubtful = false
  #loaded = false
  #made = false
  #closed = false
  #lastTrouble = ''
  #turn: Promise<unknown> = Promise.resolve()
  #stopLooking = () => {}

  /** Throws, in words, when BUSINESS_FILE is wrong. */
  constructor(dependencies: DirectoryDependencies) {
    const { defaults, snapshot } = dependencies
    this.#with = dependencies
    this.#watch = watchBusinessFile(defaults)
    this.#file = this.#watch()!
    const known = snapshot.read()
    this.#own = known?.own ?? undefined
    this.#take(known?.businesses ?? [])
    this.#regardFile()
    this.#made = true
  }

  /** With what the file has chosen by now. */
  upToDate(): this {
    this.#lookAtFile()
    return this
  }

  /** The business of BUSINESS_FILE or the environment, else the oldest that is active. */
  get standard(): Business {
    const own = this.#own && this.#entries.get(this.#own.id)
    if (own) return own.business
    const [oldest] = this.all
    const active = this.all.find(stored => this.find(stored.id)?.active) ?? oldest
    return (active && this.find(active.id)) ?? this.#file.business
  }

  /** The oldest first. */
  get all(): readonly StoredBusiness[] {
    const all = [...this.#entries.values()].map(({ stored }) => stored)
    return all.sort((one, other) => (one.createdAt === other.createdAt ? 0 : one.createdAt < other.createdAt ? -1 : 1))
  }

  /** Those whose calls are taken. */
  get active(): readonly Business[] {
    return [...this.#entries.values()].flatMap(({ business }) => (business.active ? [business] : []))
  }

  stored(id: string): StoredBusiness | undefined {
    return this.#entries.get(id)?.stored
  }

  find(id: string): Business | undefined {
    return this.#entries.get(id)?.business
  }

  withNumber(number: string): Business | undefined {
    return this.#numbers.get(number)
  }

  /** The business file names them: what is changed elsewhere holds until its next edit. */
  namesNumbers(id: string): boolean {
    return this.#own?.id === id && this.#own.source === 'file' && 'numbers' in this.#file.choice
  }

  /** Called when the database can be asked; settles after the first look at it, however that goes. */
  async open(): Promise<void> {
    if (this.#closed) return
    let looking = false
    this.#stopLooking = every(this.#with.clock, limits.store.lookMs, () => {
      if (looking || !(this.#with.shared || this.#doubtful || this.#pending || !this.#loaded)) return
      looking = true
      void this.#lookAtDatabase().finally(() => {
        looking = false
      })
    })
    await this.#lookAtDatabase()
  }

  /** Of one that is to be made; nothing is made. */
  problemsOfNew(document: Choice): readonly string[] {
    const judged = judgeChoice(document, this.#defaultsFor(undefined))
    if ('problems' in judged) return judged.problems
    return this.#entries.has(judged.business.id) ? ['id: there is a business with this id'] : []
  }

  /** Of an id that is none yet. Rejects while the database is away. */
  create(document: Choice): Promise<Answer> {
    return this.#write(undefined, document, change => this.#with.records.create(change))
  }

  /** Where `ifVersion` is given, the business must have one of these. Rejects while the database is away. */
  change(id: string, document: Choice, ifVersion?: readonly number[]): Promise<Answer> {
    return this.#write(id, document, change => this.#with.records.change(change, ifVersion))
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#stopLooking()
    await this.#turn
    await this.#with.snapshot.written()
  }

  async #write(
    id: string | undefined,
    document: Choice,
    write: (change: BusinessChange) => Promise<Written>,
  ): Promise<Answer> {
    const judged = judgeChoice(id === undefined ? document : { ...document, id }, this.#defaultsFor(id))
    if ('problems' in judged) return { kind: 'wrong', problems: judged.problems }
    if (id !== undefined && (document['id'] ?? id) !== id) {
      return { kind: 'wrong', problems: [`id: must be ${id} or be left out, for it never changes`] }
    }
    return this.#inTurn<Answer>(async () => {
      if (!this.#loaded) throw new GatewayError('STORE_AWAY', 'The database is away.', { retryable: true })
      if (id === undefined && this.#entries.size >= limits.store.businesses) return { kind: 'full' }
      const answer = await write(this.#changeTo(judged.business, document)).catch(error => {
        this.#doubtful = true
        throw error
      })
      if (answer.kind === 'written') this.#put(answer.stored)
      return answer
    })
  }

  #changeTo({ id, destinations }: Business, document: Choice): BusinessChange {
    const { id: _, active, ...choice } = document
    return {
      id,
      choice,
      active: active as boolean | undefined,
      numbers: numbersIn(choice),
      destinations: destinations.map(({ name, address }) => ({ key: destinationKey(name), name, address })),
      atMs: this.#with.clock.wallMs(),
    }
  }

  /** One after the other: what was read before a change must not come after it. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work)
    this.#turn = mine.catch(() => {})
    return mine
  }

  /** A file that has become wrong is told, and what was in force stays. */
  #lookAtFile(): void {
    try {
      const file = this.#watch()
      if (file === undefined || file.hash === this.#file.hash) return
      this.#file = file
      this.#with.told('the business file was read again')
      this.#regardFile()
      if (this.#pending && this.#loaded) void this.#lookAtDatabase()
    } catch (error) {
      this.#with.trouble(asError(error).message)
    }
  }

  /** What the file has chosen since it was last read is in force at once; else what was changed since then stays. */
  #regardFile(): void {
    const file = this.#ownOfFile()
    const last = this.#own
    const known = this.#entries.get(file.id)?.stored
    const seen = known && (known.fileHash === file.hash || (last?.id === file.id && last.hash === file.hash))
    const wanted = !(this.#with.nothingChosen && this.#entries.size > 0)
    this.#pending = !seen && wanted && file.hash !== this.#refusedHash
    if (seen) this.#own = file
    else if (this.#pending) this.#own = { ...file, hash: last?.id === file.id ? last.hash : '' }
    else if (last && !this.#entries.has(last.id)) this.#own = undefined
    if (this.#pending) this.#take([this.#provisional(file.id, known)])
    else if (known && last?.id !== file.id) this.#take([known])
  }

  #provisional(id: string, known: StoredBusiness | undefined): StoredBusiness {
    const { choice, active } = this.#changeTo(this.#file.business, this.#withNumbers(this.#file.choice, known))
    const at = new Date(this.#with.clock.wallMs()).toISOString()
    const made = { version: 0, createdAt: at, changedAt: at, fileHash: null }
    return { ...made, ...known, id, choice, active: active ?? known?.active ?? true }
  }

  /** A file that names none keeps those that the business was given otherwise. */
  #withNumbers(choice: Choice, known: StoredBusiness | undefined): Choice {
    const given = known?.choice['numbers']
    return 'numbers' in choice || given === undefined ? choice : { ...choice, numbers: given }
  }

  /** A file that names no id keeps the one that its first name made, whatever its name is now. */
  #ownOfFile(): OwnBusiness {
    const { choice, business, hash } = this.#file
    const { defaults, nothingChosen } = this.#with
    const source = nothingChosen ? 'nothing' : defaults.file === undefined ? 'environment' : 'file'
    const kept = choice['id'] === undefined && this.#own?.source === source ? this.#own.id : undefined
    return { id: kept ?? business.id, source, hash }
  }

  /** It never rejects: what cannot be had now is asked for again. */
  async #lookAtDatabase(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#read()
      if (this.#pending) await this.#carryFile()
      this.#lastTrouble = ''
    }).catch(error => {
      const { message } = asError(error)
      if (!isCode(error, 'STORE_AWAY') && message !== this.#lastTrouble) this.#with.trouble(message)
      this.#lastTrouble = message
    })
  }

  async #read(): Promise<void> {
    const { records } = this.#with
    const versions = await records.versions()
    const isKnown = (id: string) => this.#loaded && this.stored(id)?.version === versions.get(id)
    const wanted = [...versions.keys()].filter(id => !isKnown(id))
    const gone = [...this.#entries.keys()].filter(id => !versions.has(id))
    const rows = wanted.length === 0 ? [] : await records.read(wanted)
    const first = !this.#loaded
    this.#doubtful = false
    if (!first && rows.length + gone.length === 0) return
    for (const id of gone) this.#entries.delete(id)
    this.#take(rows)
    if (first || this.#pending) this.#regardFile()
    this.#loaded = true
    this.#keep()
  }

  async #carryFile(): Promise<void> {
    const { records, trouble } = this.#with
    const { hash, business } = this.#file
    const own = this.#own!
    const choice = this.#withNumbers(this.#file.choice, this.#entries.get(own.id)?.stored)
    const change = { ...this.#changeTo(business, choice), id: own.id, fileHash: hash }
    const changed = await records.change(change)
    const answer = changed.kind === 'unknown' ? await records.create(change) : changed
    // Another gateway has just made it: the next look sees what it has become.
    if (answer.kind === 'exists') return
    this.#pending = this.#file.hash !== hash
    if (answer.kind === 'written') this.#own = { ...own, hash }
    if (answer.kind === 'written') return this.#put(answer.stored)
    if (answer.kind !== 'numberTaken') return
    const { number, by } = answer
    trouble(`The business ${own.id} was not changed: its number ${number} belongs to the business ${by}.`)
    this.#refusedHash = hash
    this.#entries.delete(own.id)
    this.#take(await records.read([own.id]))
    this.#keep()
  }

  #put(stored: StoredBusiness): void {
    // What the file has chosen meanwhile is newer.
    if (!(this.#pending && stored.id === this.#own?.id)) this.#take([stored])
    this.#keep()
  }

  #take(rows: readonly StoredBusiness[]): void {
    const told: [Business, Business | undefined][] = []
    for (const stored of rows) {
      const before = this.find(stored.id)
      const business = this.#served(stored, before)
      this.#entries.set(stored.id, { stored, business })
      if (JSON.stringify(business) !== JSON.stringify(before)) told.push([business, before])
    }
    // A number that the environment gives to its own business is another's where that one has chosen it.
    const all = [...this.#entries.values()].sort((one, other) => Number(this.#isOwn(other)) - Number(this.#isOwn(one)))
    this.#numbers = new Map(all.flatMap(({ business }) => business.numbers.map(number => [number, business] as const)))
    // Not of those that are seen for the first time because it is the first look.
    for (const [now, before] of told) if (this.#made && (this.#loaded || before)) this.#with.changed(now, before)
  }

  /** What is kept may be more than this gateway can do: an engine without its key, a tool without its secret. */
  #served({ id, choice, active }: StoredBusiness, before: Business | undefined): Business {
    const judged = judgeChoice({ ...choice, id, active }, this.#defaultsFor(id))
    if ('business' in judged) return judged.business
    const what = before ? 'It stays as it was' : 'Its calls are refused'
    this.#with.trouble(`The business ${id} cannot be served here. ${what}: ${judged.problems.join('; ')}.`)
    return before ?? { ...this.#file.business, id, name: id, numbers: numbersIn(choice), active: false }
  }

  #isOwn({ stored }: Entry): boolean {
    return stored.id === this.#own?.id
  }

  /** The number and the person of the environment are those of its own business alone. */
  #defaultsFor(id: string | undefined): BusinessDefaults {
    const { defaults } = this.#with
    const isOwn = id !== undefined && id === this.#own?.id
    return isOwn ? defaults : { ...defaults, phone: undefined, ownerPhone: undefined }
  }

  #keep(): void {
    const businesses = this.all.filter(({ version }) => version > 0)
    this.#with.snapshot.write({ own: this.#own ?? null, businesses })
  }
}

function numbersIn({ numbers }: Choice): string[] {
  return Array.isArray(numbers) ? numbers.filter(number => typeof number === 'string') : []
}
