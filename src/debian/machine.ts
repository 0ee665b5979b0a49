import { join } from 'node:path'

export interface Architecture {
  readonly name: 'amd64' | 'arm64'
  readonly triplet: string
  readonly loader: string
}

export const architectures: Readonly<Record<string, Architecture>> = {
  x64: { name: 'amd64', triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { name: 'arm64', triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
}

/** Undefined on a machine that Debian's packages are not made for here. */
export function machineArchitecture(): Architecture | undefined {
  return process.platform === 'linux' ? architectures[process.arch] : undefined
}

/** Where the libraries of an unpacked tree are. */
export function librariesOf(root: string, { triplet }: Architecture): string {
  return join(root, 'usr/lib', triplet)
}

/** A program of an unpacked tree, run through the tree's own loader so that it meets only its own libraries. */
export function commandIn(root: string, program: string, architecture: Architecture): readonly string[] {
  const libraries = librariesOf(root, architecture)
  // Private libraries of a sound server, which nothing but their folder's name leads to.
  const path = [libraries, join(libraries, 'pulseaudio')].join(':')
  return [join(libraries, architecture.loader), '--library-path', path, join(root, program)]
}
