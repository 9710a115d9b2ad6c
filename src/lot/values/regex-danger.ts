/**
 * Regular expressions that can take exponential time. An engine that goes back and tries again does so when one text can
 * be matched in many ways: a repetition within a repetition (`(a+)+`), or alternatives that begin alike within a
 * repetition (`(a|ab)*`). This looks at the pattern alone, so it warns of some that are harmless.
 */

import { type CharSet, type PatternNode as Node, readPattern } from './regex-pattern.js'

/** Fewer rounds than this cost little, however they are divided. */
const MANY = 10

/** @returns in words which part can blow up; undefined if none does, or if the pattern cannot be read */
export function findExponential(pattern: string): string | undefined {
  const tree = readPattern(pattern)
  return tree === undefined ? undefined : findIn(tree)
}

function findIn(node: Node): string | undefined {
  switch (node.kind) {
    case 'sequence':
      return firstOf(node.items)
    case 'choice':
      return firstOf(node.options)
    case 'repeat':
      return (node.max >= MANY ? ambiguity(node) : undefined) ?? findIn(node.inner)
    default:
      return undefined
  }
}

function firstOf(nodes: readonly Node[]): string | undefined {
  for (const node of nodes) {
    const found = findIn(node)
    if (found !== undefined) return found
  }
  return undefined
}

/** Why one text can be divided among the rounds of a repetition in more than one way. */
function ambiguity(repeat: Extract<Node, { kind: 'repeat' }>): string | undefined {
  const { inner, text } = repeat
  if (isEmptyable(inner) && hasRepeat(inner)) return `"${text}" repeats something that may itself be empty`
  const nested = edgeRepeat(inner)
  if (nested !== undefined) return `"${text}" repeats "${nested.text}", which is a repetition of the same characters`
  for (const options of choicesAtStart(inner)) {
    for (let i = 0; i < options.length; i++) {
      for (let j = i + 1; j < options.length; j++) {
        if ((firstSet(options[i]) & firstSet(options[j])) !== 0n) {
          return `"${text}" repeats alternatives that can begin with the same character`
        }
      }
    }
  }
  return undefined
}

/**
 * A long repetition within `node` whose characters may also begin the next round, with nothing between that tells the
 * rounds apart.
 */
function edgeRepeat(node: Node): Extract<Node, { kind: 'repeat' }> | undefined {
  const items = node.kind === 'sequence' ? node.items : [node]
  if (node.kind === 'choice') {
    for (const option of node.options) {
      const found = edgeRepeat(option)
      if (found !== undefined) return found
    }
    return undefined
  }
  for (let i = 0; i < items.length; i++) {
    const item = items[i]
    if (item.kind === 'choice') {
      if (items.length === 1 || others(items, i).every(isEmptyable)) {
        const found = edgeRepeat(item)
        if (found !== undefined) return found
      }
      continue
    }
    if (item.kind !== 'repeat' || item.max < MANY) continue
    const around = others(items, i)
    // A piece that must be there and that the repetition cannot match keeps the rounds apart.
    const isSeparated = around.some((other) => !isEmptyable(other) && (allSet(other) & allSet(item.inner)) === 0n)
    if (!isSeparated && (allSet(item.inner) & (firstSet(node) | firstSet(item))) !== 0n) return item
    const deeper = around.every(isEmptyable) ? edgeRepeat(item.inner) : undefined
    if (deeper !== undefined) return deeper
  }
  return undefined
}

function others(items: readonly Node[], index: number): Node[] {
  return items.filter((_, at) => at !== index)
}

function choicesAtStart(node: Node): (readonly Node[])[] {
  if (node.kind === 'choice') return [node.options, ...node.options.flatMap(choicesAtStart)]
  if (node.kind !== 'sequence') return []
  const found: (readonly Node[])[] = []
  for (const item of node.items) {
    found.push(...choicesAtStart(item))
    if (!isEmptyable(item)) break
  }
  return found
}

function hasRepeat(node: Node): boolean {
  if (node.kind === 'repeat') return node.max >= MANY || hasRepeat(node.inner)
  if (node.kind === 'sequence') return node.items.some(hasRepeat)
  return node.kind === 'choice' && node.options.some(hasRepeat)
}

function isEmptyable(node: Node): boolean {
  switch (node.kind) {
    case 'set':
      return false
    case 'nothing':
      return true
    case 'sequence':
      return node.items.every(isEmptyable)
    case 'choice':
      return node.options.some(isEmptyable)
    case 'repeat':
      return node.min === 0 || isEmptyable(node.inner)
  }
}

function firstSet(node: Node): CharSet {
  switch (node.kind) {
    case 'set':
      return node.set
    case 'nothing':
      return 0n
    case 'choice':
      return node.options.reduce((set, option) => set | firstSet(option), 0n)
    case 'repeat':
      return firstSet(node.inner)
    case 'sequence': {
      let set = 0n
      for (const item of node.items) {
        set |= firstSet(item)
        if (!isEmptyable(item)) break
      }
      return set
    }
  }
}

function allSet(node: Node): CharSet {
  switch (node.kind) {
    case 'set':
      return node.set
    case 'nothing':
      return 0n
    case 'choice':
      return node.options.reduce((set, option) => set | allSet(option), 0n)
    case 'repeat':
      return allSet(node.inner)
    case 'sequence':
      return node.items.reduce((set, item) => set | allSet(item), 0n)
  }
}
