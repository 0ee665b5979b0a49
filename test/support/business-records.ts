import { GatewayError } from '../../src/errors.ts'
import type { BusinessChange, StoredBusiness, Written } from '../../src/store/businesses.ts'
import type { BusinessRecords } from '../../src/store/directory.ts'

/** The businesses of a database in memory, by the rules that the real one keeps; several gateways may share it. */
export class MemoryRecords implements BusinessRecords {
  readonly rows = new Map<string, StoredBusiness>()
  away = false

  async versions(): Promise<ReadonlyMap<string, number>> {
    this.#beThere()
    return new Map([...this.rows.values()].map(({ id, version }) => [id, version]))
  }

  async read(ids: readonly string[]): Promise<StoredBusiness[]> {
    this.#beThere()
    return ids.flatMap(id => this.rows.get(id) ?? [])
  }

  async create(change: BusinessChange): Promise<Written> {
    this.#beThere()
    if (this.rows.has(change.id)) return { kind: 'exists' }
    return this.#write(change, { active: true, version: 0, fileHash: null, createdAt: isoTime(change.atMs) })
  }

  async change(change: BusinessChange, ifVersion?: readonly number[]): Promise<Written> {
    this.#beThere()
    const before = this.rows.get(change.id)
    if (!before) return { kind: 'unknown' }
    if (ifVersion && !ifVersion.includes(before.version)) return { kind: 'outdated', version: before.version }
    return this.#write(change, before)
  }

  #write(
    { id, choice, active, fileHash, numbers, atMs }: BusinessChange,
    before: Pick<StoredBusiness, 'active' | 'version' | 'fileHash' | 'createdAt'>,
  ): Written {
    for (const { id: by, choice: other } of this.rows.values()) {
      const number = ((other['numbers'] ?? []) as string[]).find(each => numbers.includes(each))
      if (by !== id && number !== undefined) return { kind: 'numberTaken', number, by }
    }
    const stored: StoredBusiness = {
      id,
      choice,
      active: active ?? before.active,
      version: before.version + 1,
      createdAt: before.createdAt,
      changedAt: isoTime(atMs),
      fileHash: fileHash ?? before.fileHash,
    }
    this.rows.set(id, stored)
    return { kind: 'written', stored }
  }

  #beThere(): void {
    if (this.away) throw new GatewayError('STORE_AWAY', 'The database is away.')
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
