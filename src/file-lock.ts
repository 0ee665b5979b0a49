import { DatabaseSync } from 'node:sqlite'

const SQLITE_BUSY = 5

/**
 * Locks a file for this process alone; undefined when another holds it. The kernel keeps the lock: it ends with its holder,
 * however that ends, and holds between containers that share nothing but the folder. Node locks no files by itself, but
 * SQLite, which is part of it, does: a transaction that is begun and never ended.
 */
export function lockFile(file: string): { release(): void } | undefined {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { timeout: 0 })
    database.exec('BEGIN EXCLUSIVE')
    const held = database
    return { release: () => held.close() }
  } catch (error) {
    database?.close()
    if ((error as { errcode?: unknown }).errcode === SQLITE_BUSY) return undefined
    throw error
  }
}
