import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'

export type Protocol = 'tcp' | 'udp'

/** Who holds a socket. */
export interface Holder {
  readonly pid: number
  readonly name: string
}

interface OpenPort {
  readonly port: number
  readonly inode: string
}

/** As far as this user may see: the socket's inode leads from the kernel's table to a process. */
export function holderOf(protocol: Protocol, port: number): Holder | undefined {
  const inode = openPorts(protocol).find(each => each.port === port)?.inode
  return inode === undefined ? undefined : holderOfSocket(inode)
}

/** Who has locked a file: undefined when nobody has. */
export function lockerOf(file: string): { readonly holder: Holder | undefined } | undefined {
  if (!existsSync(file)) return undefined
  const { ino } = statSync(file)
  // See proc_locks(5): the owner's process in column 5 (0 or less: of another container), the file in column 6.
  const lock = readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .find(columns => columns[1] === 'POSIX' && columns[3] === 'WRITE' && columns[5]?.endsWith(`:${ino}`))
  return lock && { holder: processNamed(Number(lock[4])) }
}

/** See proc_net(5): column 2 is the local address in hexadecimal, column 4 the state, column 10 the inode. */
export function openPorts(protocol: Protocol): OpenPort[] {
  const listening = protocol === 'tcp' ? '0A' : '07'
  return [`/proc/net/${protocol}`, `/proc/net/${protocol}6`].filter(existsSync).flatMap(table =>
    readFileSync(table, 'utf8')
      .split('\n')
      .map(line => line.trim().split(/\s+/))
      .filter(columns => columns[3] === listening)
      .map(columns => ({
        port: Number.parseInt(columns[1]?.split(':')[1] ?? '', 16),
        inode: columns[9] ?? '',
      })),
  )
}

/** Of a process that this user may look into; undefined of another. */
export function socketsOf(pid: number): ReadonlySet<string> | undefined {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map(each => linkOf(`/proc/${pid}/fd/${each}`))
    return new Set(links.flatMap(link => /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1] ?? []))
  } catch {
    return undefined
  }
}

function holderOfSocket(inode: string): Holder | undefined {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    if (!socketsOf(Number(pid))?.has(inode)) continue
    const found = processNamed(Number(pid))
    if (found) return found
  }
  return undefined
}

/** Nothing when it has just ended. */
function processNamed(pid: number): Holder | undefined {
  try {
    return { pid, name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }
  } catch {
    return undefined
  }
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
