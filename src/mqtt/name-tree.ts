/** Topic names by level, each with a value; finds the values of all names that a topic filter matches. */

class NameNode<Value> {
  value: Value | undefined = undefined
  /** Most nodes have one child at most, and a million maps take longer to make than all else. */
  #only: NameNode<Value> | undefined = undefined
  #children: Map<string, NameNode<Value>> | undefined = undefined
  constructor(
    readonly level: string,
    readonly parent: NameNode<Value> | undefined,
  ) {}

  get isLeaf(): boolean {
    return this.#only === undefined && this.#children === undefined
  }

  child(level: string): NameNode<Value> | undefined {
    if (this.#only !== undefined) return this.#only.level === level ? this.#only : undefined
    return this.#children?.get(level)
  }

  /** There is none of this level yet. */
  addChild(level: string): NameNode<Value> {
    const child = new NameNode(level, this)
    if (this.#children !== undefined) this.#children.set(level, child)
    else if (this.#only === undefined) this.#only = child
    else {
      this.#children = new Map([this.#only, child].map((node) => [node.level, node]))
      this.#only = undefined
    }
    return child
  }

  removeChild(level: string): void {
    this.#only = undefined
    this.#children?.delete(level)
    if (this.#children?.size === 0) this.#children = undefined
  }

  /** @param withSystem also those that begin with `$` */
  pushChildren(nodes: NameNode<Value>[], withSystem: boolean): void {
    if (this.#only !== undefined) {
      if (withSystem || !this.#only.level.startsWith('$')) nodes.push(this.#only)
    } else if (this.#children !== undefined) {
      for (const child of this.#children.values()) if (withSystem || !child.level.startsWith('$')) nodes.push(child)
    }
  }
}

export class NameTree<Value> {
  readonly #root = new NameNode<Value>('', undefined)
  #size = 0

  /** Names with a value. */
  get size(): number {
    return this.#size
  }

  get(name: string): Value | undefined {
    return this.#find(name)?.value
  }

  /** @param make of the name, where there is no value yet */
  getOrAdd(name: string, make: (name: string) => Value): Value {
    const node = this.#nodeOf(name)
    if (node.value === undefined) {
      this.#size++
      node.value = make(name)
    }
    return node.value
  }

  set(name: string, value: Value): void {
    const node = this.#nodeOf(name)
    if (node.value === undefined) this.#size++
    node.value = value
  }

  #nodeOf(name: string): NameNode<Value> {
    let node = this.#root
    for (const level of name.split('/')) node = node.child(level) ?? node.addChild(level)
    return node
  }

  delete(name: string): void {
    let node = this.#find(name)
    if (node === undefined || node.value === undefined) return
    this.#size--
    node.value = undefined
    while (node?.parent !== undefined && node.value === undefined && node.isLeaf) {
      const parent: NameNode<Value> = node.parent
      parent.removeChild(node.level)
      node = parent
    }
  }

  /** All values, in no order. Do not change the tree meanwhile. */
  *values(): Generator<Value> {
    const open = [this.#root]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.value !== undefined) yield node.value
      node.pushChildren(open, true)
    }
  }

  /** Values of all names that `filter` matches, with the `$` rule [MQTT-4.7.2-1]. Do not change the tree meanwhile. */
  *matching(filter: string): Generator<Value> {
    const levels = filter.split('/')
    let nodes: NameNode<Value>[] = [this.#root]
    for (let depth = 0; depth < levels.length; depth++) {
      const level = levels[depth]
      if (level === '#') {
        yield* this.#below(nodes, depth)
        return
      }
      const next: NameNode<Value>[] = []
      for (const node of nodes) {
        if (level === '+') node.pushChildren(next, depth > 0)
        else {
          const child = node.child(level)
          if (child !== undefined) next.push(child)
        }
      }
      if (next.length === 0) return
      nodes = next
    }
    for (const { value } of nodes) if (value !== undefined) yield value
  }

  *#below(nodes: readonly NameNode<Value>[], depth: number): Generator<Value> {
    const open = [...nodes]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.value !== undefined) yield node.value
      node.pushChildren(open, depth > 0 || node.parent !== undefined)
    }
  }

  #find(name: string): NameNode<Value> | undefined {
    let node: NameNode<Value> | undefined = this.#root
    for (const level of name.split('/')) {
      node = node.child(level)
      if (node === undefined) return undefined
    }
    return node
  }
}
