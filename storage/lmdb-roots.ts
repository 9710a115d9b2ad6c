/**
 * The two root pages of an LMDB file, read without LMDB, which maps what they say and would crash on a lie. The file
 * format is that of LMDB 1.0 as lmdb 3.5 builds it (data version 2, 64 bits, byte order of the machine):
 *
 *   page header   0 page number u64 · 8 transaction u64 · 16 – u16 · 18 flags u16 · 20 lower u16 · 22 upper u16
 *   root at 24    0 magic u32 · 4 version u32 · 8 – · 16 map u64 · 24 free list · 72 list of tables
 *                 120 last page u64 · 128 transaction u64 · 136 boot u64
 *   tree (48)     0 page size in the free list's, else 0, u32 · 4 flags u16 · 6 depth u16 · 8 branches u64
 *                 16 leaves u64 · 24 overflow pages u64 · 32 entries u64 · 40 root page u64, all ones when empty
 *
 * Transaction n writes root page n % 2, so the other one is the state before it.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'

const MAGIC = 0xbeefc0de
const VERSION = 2
export const PAGE_HEADER_BYTES = 24
const ROOT_BYTES = PAGE_HEADER_BYTES + 144
export const TREE_BYTES = 48
const FLAGS_OFFSET = 18
const META_PAGE = 0x08
const PAGE_BYTES_MAX = 65_536
/** Sorted duplicates or keys as integers: never used for tables. */
const TREE_FLAGS_WRONG = 0x7e
const DEPTH_MAX = 32

export interface Tree {
  readonly flags: number
  readonly depth: number
  readonly entries: number
  /** Of all kinds. */
  readonly pages: number
  /** undefined for an empty tree */
  readonly page: number | undefined
}

export interface StoreRoot {
  readonly pageBytes: number
  readonly lastPage: number
  readonly transaction: number
  readonly freeList: Tree
  readonly tables: Tree
}

export type Roots =
  | {
      readonly kind: 'good'
      readonly root: StoreRoot
      /** Set when the other root page makes no sense, and would not be noticed by LMDB. */
      readonly damagedPage?: 0 | 1
      readonly fileBytes: number
    }
  | { readonly kind: 'damaged'; readonly reason: string }

/** @throws what the system throws for a file that cannot be read */
export function readRoots(path: string): Roots {
  const file = openSync(path, 'r')
  try {
    const fileBytes = fstatSync(file).size
    if (fileBytes === 0) return { kind: 'damaged', reason: 'the file is empty' }
    const first = readRoot(readAt(file, 0), fileBytes)
    const pageSizes = first === undefined ? powersOfTwo(256, PAGE_BYTES_MAX) : [first.pageBytes]
    for (const pageBytes of pageSizes) {
      const second = readRoot(readAt(file, pageBytes), fileBytes)
      if (second === undefined || second.pageBytes !== pageBytes) continue
      if (first === undefined) return { kind: 'good', root: second, damagedPage: 0, fileBytes }
      return { kind: 'good', root: first.transaction > second.transaction ? first : second, fileBytes }
    }
    if (first !== undefined) return { kind: 'good', root: first, damagedPage: 1, fileBytes }
    return { kind: 'damaged', reason: 'neither of its root pages makes sense' }
  } finally {
    closeSync(file)
  }
}

/** Writes the root page that makes sense over the other. */
export function repairRoot(path: string, damagedPage: 0 | 1, pageBytes: number): void {
  const file = openSync(path, 'r+')
  try {
    const page = Buffer.alloc(pageBytes)
    readSync(file, page, 0, pageBytes, damagedPage === 0 ? pageBytes : 0)
    writeNumber(page, 0, damagedPage)
    writeSync(file, page, 0, pageBytes, damagedPage * pageBytes)
  } finally {
    closeSync(file)
  }
}

export function readTree(page: Buffer, at: number): Tree {
  const root = readNumber(page, at + 40)
  return {
    flags: page.readUInt16LE(at + 4),
    depth: page.readUInt16LE(at + 6),
    entries: readNumber(page, at + 32),
    pages: readNumber(page, at + 8) + readNumber(page, at + 16) + readNumber(page, at + 24),
    page: root >= 2 ** 64 - 1 ? undefined : root,
  }
}

/** Page numbers and such: exact as long as files are shorter than 2^53 bytes. */
export function readNumber(page: Buffer, at: number): number {
  return page.readUInt32LE(at) + page.readUInt32LE(at + 4) * 2 ** 32
}

function writeNumber(page: Buffer, at: number, value: number): void {
  page.writeUInt32LE(value, at)
  page.writeUInt32LE(0, at + 4)
}

function readAt(file: number, at: number): Buffer {
  const page = Buffer.alloc(ROOT_BYTES)
  return page.subarray(0, readSync(file, page, 0, ROOT_BYTES, at))
}

/** @returns undefined for what cannot be a root page of a file of this length */
function readRoot(page: Buffer, fileBytes: number): StoreRoot | undefined {
  if (page.length < ROOT_BYTES || (page.readUInt16LE(FLAGS_OFFSET) & META_PAGE) === 0) return undefined
  const at = PAGE_HEADER_BYTES
  if (page.readUInt32LE(at) !== MAGIC || (page.readUInt32LE(at + 4) & 0xffff) !== VERSION) return undefined
  const pageBytes = page.readUInt32LE(at + 24)
  const root: StoreRoot = {
    pageBytes,
    lastPage: readNumber(page, at + 120),
    transaction: readNumber(page, at + 128),
    freeList: readTree(page, at + 24),
    tables: readTree(page, at + 72),
  }
  const isPageSize = powersOfTwo(256, PAGE_BYTES_MAX).includes(pageBytes)
  const hasTrees = treeMakesSense(root.freeList, root) && treeMakesSense(root.tables, root)
  const isSane = root.lastPage >= 1 && root.transaction < 2 ** 53 && root.lastPage * pageBytes < 2 * fileBytes + 2 ** 30
  return isPageSize && hasTrees && isSane && (root.tables.flags & TREE_FLAGS_WRONG) === 0 ? root : undefined
}

function treeMakesSense({ page, depth }: Tree, { lastPage }: { readonly lastPage: number }): boolean {
  if (page === undefined) return depth === 0
  return page >= 2 && page <= lastPage && depth >= 1 && depth <= DEPTH_MAX
}

function powersOfTwo(from: number, to: number): number[] {
  return from > to ? [] : [from, ...powersOfTwo(from * 2, to)]
}
