/**
 * Checks the structure of an LMDB file page by page, without LMDB: a file that passes neither crashes it nor makes it
 * write over its own data. Values are not checked, they carry no sum. Page formats: see lmdb-roots.ts; in a page
 *
 *   24   offsets of its nodes from byte 24, u16 each, up to `lower`
 *   node 0 size of the value or child page u32 · 4 flags, or high bits of the page, u16 · 6 bytes of the key u16 · 8 key
 *
 * and a value that has pages of its own is replaced by their number, a transaction and their count, u64 each.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import {
  PAGE_HEADER_BYTES,
  readNumber,
  readRoots,
  readTree,
  type StoreRoot,
  TREE_BYTES,
  type Tree,
} from './lmdb-roots.js'

const [BRANCH, LEAF, OVERFLOW] = [0x01, 0x02, 0x04]
const [BIG_DATA, SUB_TREE] = [0x01, 0x02]
const NODE_HEADER_BYTES = 8
const OVERFLOW_REFERENCE_BYTES = 24

class Damage extends Error {}

export interface StoreCheck {
  readonly tables: number
  readonly entries: number
  readonly pagesUsed: number
  readonly pagesFree: number
}

export type CheckResult =
  | ({ readonly kind: 'sound' } & StoreCheck)
  | { readonly kind: 'damaged'; readonly reason: string }

/**
 * Reads the whole file. Nobody may write to it meanwhile.
 * @param progress told now and then, with a share from 0 to 1
 * @throws what the system throws for a file that cannot be read
 */
export function checkStoreFile(path: string, progress: (share: number) => void = () => {}): CheckResult {
  const roots = readRoots(path)
  if (roots.kind === 'damaged') return roots
  const file = openSync(path, 'r')
  try {
    return { kind: 'sound', ...new FileCheck(file, roots.root, progress).run() }
  } catch (error) {
    if (error instanceof Damage) return { kind: 'damaged', reason: error.message }
    throw error
  } finally {
    closeSync(file)
  }
}

/** Told of an entry: where in its page its key and its value are, and the value's bytes where it has pages of its own. */
type Visit = (
  page: Buffer,
  keyAt: number,
  valueAt: number,
  end: number,
  isTree: boolean,
  big: Buffer | undefined,
) => void

/** Less than 0, 0, or more: keys that lie from one place of a page to another. */
type Compare = (a: Buffer, aAt: number, aEnd: number, b: Buffer, bAt: number, bEnd: number) => number

class FileCheck {
  readonly #file: number
  readonly #root: StoreRoot
  /** One byte a page. */
  readonly #isUsed: Uint8Array
  readonly #progress: (share: number) => void
  #pagesUsed = 2

  constructor(file: number, root: StoreRoot, progress: (share: number) => void) {
    this.#file = file
    this.#root = root
    this.#progress = progress
    this.#isUsed = new Uint8Array(root.lastPage + 1)
    this.#isUsed.fill(1, 0, 2)
  }

  run(): StoreCheck {
    const tables: { readonly name: string; readonly tree: Tree }[] = []
    this.#walk('the list of tables', this.#root.tables, compareBytes, (page, keyAt, valueAt, end, isTree) => {
      if (!isTree || end - valueAt !== TREE_BYTES) throw new Damage('the list of tables holds something else')
      const tree = readTree(page, valueAt)
      if (tree.flags !== 0) throw new Damage('a table has flags that are never used')
      tables.push({ name: `table ${page.toString('utf8', keyAt, valueAt - 1)}`, tree })
    })
    let entries = 0
    for (const { name, tree } of tables) {
      this.#walk(name, tree, compareBytes, (_page, _keyAt, _valueAt, _end, isTree) => {
        if (isTree) throw new Damage(`${name} holds a table`)
      })
      entries += tree.entries
    }
    const freeLists: Buffer[] = []
    this.#walk('the free list', this.#root.freeList, compareIntegers, (page, keyAt, valueAt, end, isTree, big) => {
      if (isTree || valueAt - keyAt !== 8) throw new Damage('the free list holds something else')
      freeLists.push(Buffer.from(big ?? page.subarray(valueAt, end)))
    })
    let pagesFree = 0
    for (const list of freeLists) pagesFree += this.#checkFree(list)
    return { tables: tables.length, entries, pagesUsed: this.#pagesUsed, pagesFree }
  }

  #walk(name: string, tree: Tree, compare: Compare, visit: Visit): void {
    if (tree.page === undefined) {
      if (tree.entries !== 0) throw new Damage(`${name} has no pages, but ${tree.entries} entries`)
      return
    }
    // where the last key lies
    let last: Buffer | undefined
    let [lastAt, lastEnd] = [0, 0]
    let entries = 0
    const pagesBefore = this.#pagesUsed
    // hot: a million times in a large store
    const onLeaf = (page: Buffer, number: number): void => {
      const lower = checkNodes(page, number, name) + PAGE_HEADER_BYTES
      for (let at = PAGE_HEADER_BYTES; at < lower; at += 2) {
        const node = readU16(page, at) + PAGE_HEADER_BYTES
        const flags = readU16(page, node + 4)
        const keyAt = node + NODE_HEADER_BYTES
        const keyEnd = keyAt + readU16(page, node + 6)
        if (keyEnd === keyAt || (flags & ~(BIG_DATA | SUB_TREE)) !== 0) {
          throw new Damage(`page ${number} of ${name} holds an entry that makes no sense`)
        }
        const isBig = (flags & BIG_DATA) !== 0
        const valueBytes = page.readUInt32LE(node)
        const end = keyEnd + (isBig ? OVERFLOW_REFERENCE_BYTES : valueBytes)
        if (end > page.length) throw new Damage(`page ${number} of ${name} holds an entry longer than itself`)
        if (last !== undefined && compare(last, lastAt, lastEnd, page, keyAt, keyEnd) >= 0) {
          throw new Damage(`${name} is out of order`)
        }
        last = page
        lastAt = keyAt
        lastEnd = keyEnd
        entries++
        const big = isBig ? this.#bigValue(page, keyEnd, valueBytes, name) : undefined
        visit(page, keyAt, keyEnd, end, (flags & SUB_TREE) !== 0, big)
      }
    }
    const descend = (number: number, depth: number): void => {
      const page = this.#page(number, 1, name)
      const kind = page.readUInt16LE(18)
      if (kind !== (depth === tree.depth ? LEAF : BRANCH))
        throw new Damage(`page ${number} of ${name} is of another kind`)
      if (kind === LEAF) {
        onLeaf(page, number)
        return
      }
      const lower = checkNodes(page, number, name) + PAGE_HEADER_BYTES
      for (let at = PAGE_HEADER_BYTES; at < lower; at += 2) {
        const node = readU16(page, at) + PAGE_HEADER_BYTES
        descend(page.readUInt32LE(node) + readU16(page, node + 4) * 2 ** 32, depth + 1)
      }
    }
    descend(tree.page, 1)
    if (this.#pagesUsed - pagesBefore !== tree.pages) throw new Damage(`${name} counts its pages wrong`)
    if (entries !== tree.entries) throw new Damage(`${name} has ${entries} entries in place of ${tree.entries}`)
  }

  /** @returns only what the free list needs: values of tables are not read */
  #bigValue(page: Buffer, at: number, valueBytes: number, name: string): Buffer {
    const number = readNumber(page, at)
    const pages = readNumber(page, at + 16)
    if (readNumber(page, at + 8) > this.#root.transaction) throw new Damage(`a value of ${name} is from the future`)
    const wanted = Math.floor((PAGE_HEADER_BYTES - 1 + valueBytes) / this.#root.pageBytes) + 1
    if (pages < wanted || pages > this.#root.lastPage) throw new Damage(`a value of ${name} is longer than its pages`)
    const isWhole = name === 'the free list'
    const found = this.#page(number, pages, name, isWhole ? pages : 1)
    if (found.readUInt16LE(18) !== OVERFLOW || found.readUInt32LE(20) !== pages) {
      throw new Damage(`page ${number} of ${name} is of another kind`)
    }
    return isWhole ? found.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + valueBytes) : found.subarray(0, 0)
  }

  /** Reads a page, and notes that it and those behind it are used. */
  #page(number: number, count: number, name: string, read = 1): Buffer {
    const { lastPage, pageBytes } = this.#root
    if (!(number >= 2 && number + count - 1 <= lastPage)) throw new Damage(`${name} refers to page ${number}`)
    for (let index = number; index < number + count; index++) {
      if (this.#isUsed[index] !== 0) throw new Damage(`page ${index} is used by ${name}, and a second time`)
      this.#isUsed[index] = 1
    }
    const before = this.#pagesUsed
    this.#pagesUsed += count
    if (before >>> 12 !== this.#pagesUsed >>> 12) this.#progress(this.#pagesUsed / (lastPage + 1))
    const page = Buffer.allocUnsafe(pageBytes * read)
    if (readSync(this.#file, page, 0, page.length, number * pageBytes) < page.length) {
      throw new Damage(`page ${number} of ${name} lies beyond the end of the file`)
    }
    // LMDB takes a page of a later transaction for its own, and writes to the map, which ends the process
    if (readNumber(page, 8) > this.#root.transaction) throw new Damage(`page ${number} of ${name} is from the future`)
    if (readNumber(page, 0) !== number) throw new Damage(`page ${number} of ${name} calls itself another one`)
    return page
  }

  /**
   * A list is its length and then page numbers; a negative number stands for so many pages from the next on, and 0 for
   * nothing. @returns how many pages
   */
  #checkFree(list: Buffer): number {
    const length = list.length >= 8 ? readNumber(list, 0) : 0
    if (length * 8 + 8 > list.length) throw new Damage('a part of the free list is cut off')
    let pages = 0
    for (let index = 1; index <= length; index++) {
      let count = 1
      if (list.readInt32LE(index * 8 + 4) < 0) count = Number(-list.readBigInt64LE(index++ * 8))
      if (index > length) throw new Damage('a part of the free list is cut off')
      const first = readNumber(list, index * 8)
      if (first === 0) continue
      if (!(first >= 2 && first + count - 1 <= this.#root.lastPage)) throw new Damage(`the free list has page ${first}`)
      for (let page = first; page < first + count; page++) {
        if (this.#isUsed[page] !== 0) throw new Damage(`page ${page} is used, and in the free list`)
      }
      pages += count
    }
    return pages
  }
}

/** Checks that all nodes of a page lie in it. @returns the end of their offsets, counted from the end of the page's header */
function checkNodes(page: Buffer, number: number, name: string): number {
  const lower = readU16(page, 20)
  const upper = readU16(page, 22)
  const room = page.length - PAGE_HEADER_BYTES
  if (lower % 2 !== 0 || lower === 0 || lower > upper || upper > room) {
    throw new Damage(`page ${number} of ${name} has bounds that make no sense`)
  }
  for (let at = 0; at < lower; at += 2) {
    const offset = readU16(page, PAGE_HEADER_BYTES + at)
    const node = offset + PAGE_HEADER_BYTES
    const isInside = offset >= upper && node + NODE_HEADER_BYTES <= page.length
    if (!isInside || node + NODE_HEADER_BYTES + readU16(page, node + 6) > page.length) {
      throw new Damage(`page ${number} of ${name} has an entry outside itself`)
    }
  }
  return lower
}

/** The place was checked: faster than `readUInt16LE`, which checks it again. */
function readU16(page: Buffer, at: number): number {
  return page[at] | (page[at + 1] << 8)
}

/** In order of bytes. Most keys of a table begin alike, and are short: a call of `Buffer.compare` takes longer than all else. */
function compareBytes(a: Buffer, aAt: number, aEnd: number, b: Buffer, bAt: number, bEnd: number): number {
  const length = Math.min(aEnd - aAt, bEnd - bAt)
  for (let index = 0; index < length; index++) {
    const difference = a[aAt + index] - b[bAt + index]
    if (difference !== 0) return difference
  }
  return aEnd - aAt - (bEnd - bAt)
}

function compareIntegers(a: Buffer, aAt: number, aEnd: number, b: Buffer, bAt: number, bEnd: number): number {
  // others are refused by whoever looks at the entry
  return aEnd - aAt < 8 || bEnd - bAt < 8 ? -1 : readNumber(a, aAt) - readNumber(b, bAt)
}
