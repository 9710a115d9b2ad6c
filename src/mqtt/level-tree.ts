/** Texts in levels, as topic names and topic filters are, each with a value: what trees of both have in common. */
import { mapKey } from '../base/map-key.js'

export class LevelNode<Value> {
  value: Value | undefined = undefined
  /** Most nodes have one child at most, and a million maps take longer to make, and more memory, than all else. */
  #only: LevelNode<Value> | undefined = undefined
  /** By `mapKey` of the level. */
  #children: Map<string, LevelNode<Value>> | undefined = undefined
  constructor(
    readonly level: string,
    readonly parent: LevelNode<Value> | undefined,
  ) {}

  get isLeaf(): boolean {
    return this.#only === undefined && this.#children === undefined
  }

  child(level: string): LevelNode<Value> | undefined {
    if (this.#only !== undefined) return this.#only.level === level ? this.#only : undefined
    return this.#children?.get(mapKey(level))
  }

  /** There is none of this level yet. */
  addChild(level: string): LevelNode<Value> {
    const child = new LevelNode(level, this)
    if (this.#children !== undefined) this.#children.set(mapKey(level), child)
    else if (this.#only === undefined) this.#only = child
    else {
      this.#children = new Map([this.#only, child].map((node) => [mapKey(node.level), node]))
      this.#only = undefined
    }
    return child
  }

  removeChild(level: string): void {
    this.#only = undefined
    this.#children?.delete(mapKey(level))
    if (this.#children?.size === 0) this.#children = undefined
  }

  /** @param withSystem also those that begin with `$` */
  pushChildren(nodes: LevelNode<Value>[], withSystem: boolean): void {
    if (this.#only !== undefined) {
      if (withSystem || !this.#only.level.startsWith('$')) nodes.push(this.#only)
    } else if (this.#children !== undefined) {
      for (const child of this.#children.values()) if (withSystem || !child.level.startsWith('$')) nodes.push(child)
    }
  }
}

export class LevelTree<Value> {
  protected readonly root = new LevelNode<Value>('', undefined)
  #size = 0

  /** Texts with a value. */
  get size(): number {
    return this.#size
  }

  get(text: string): Value | undefined {
    return this.#find(text)?.value
  }

  /** @param make of the text, where there is no value yet */
  getOrAdd(text: string, make: (text: string) => Value): Value {
    const node = this.#nodeOf(text)
    if (node.value === undefined) {
      this.#size++
      node.value = make(text)
    }
    return node.value
  }

  set(text: string, value: Value): void {
    const node = this.#nodeOf(text)
    if (node.value === undefined) this.#size++
    node.value = value
  }

  delete(text: string): void {
    let node = this.#find(text)
    if (node === undefined || node.value === undefined) return
    this.#size--
    node.value = undefined
    while (node?.parent !== undefined && node.value === undefined && node.isLeaf) {
      const parent: LevelNode<Value> = node.parent
      parent.removeChild(node.level)
      node = parent
    }
  }

  /** All values, in no order. Do not change the tree meanwhile. */
  *each(): Generator<Value> {
    const open = [this.root]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.value !== undefined) yield node.value
      node.pushChildren(open, true)
    }
  }

  #nodeOf(text: string): LevelNode<Value> {
    let node = this.root
    for (const level of text.split('/')) node = node.child(level) ?? node.addChild(level)
    return node
  }

  #find(text: string): LevelNode<Value> | undefined {
    let node: LevelNode<Value> | undefined = this.root
    for (const level of text.split('/')) {
      node = node.child(level)
      if (node === undefined) return undefined
    }
    return node
  }
}
