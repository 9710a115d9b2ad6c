/** Topic names by level, each with a value; finds the values of all names that a topic filter matches. */

class NameNode<Value> {
  value: Value | undefined = undefined
  children: Map<string, NameNode<Value>> | undefined = undefined
  constructor(
    readonly level: string,
    readonly parent: NameNode<Value> | undefined,
  ) {}
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

  set(name: string, value: Value): void {
    let node = this.#root
    for (const level of name.split('/')) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (child === undefined) {
        child = new NameNode(level, node)
        node.children.set(level, child)
      }
      node = child
    }
    if (node.value === undefined) this.#size++
    node.value = value
  }

  delete(name: string): void {
    let node = this.#find(name)
    if (node === undefined || node.value === undefined) return
    this.#size--
    node.value = undefined
    while (node?.parent !== undefined && node.value === undefined && node.children === undefined) {
      const parent: NameNode<Value> = node.parent
      parent.children?.delete(node.level)
      if (parent.children?.size === 0) parent.children = undefined
      node = parent
    }
  }

  /** All values, in no order. Do not change the tree meanwhile. */
  *values(): Generator<Value> {
    const open = [this.#root]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.value !== undefined) yield node.value
      if (node.children !== undefined) for (const child of node.children.values()) open.push(child)
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
      for (const { children } of nodes) {
        if (children === undefined) continue
        if (level === '+') {
          for (const child of children.values()) if (depth > 0 || !child.level.startsWith('$')) next.push(child)
        } else {
          const child = children.get(level)
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
      if (node.children === undefined) continue
      const atRoot = depth === 0 && node.parent === undefined
      for (const child of node.children.values()) if (!atRoot || !child.level.startsWith('$')) open.push(child)
    }
  }

  #find(name: string): NameNode<Value> | undefined {
    let node: NameNode<Value> | undefined = this.#root
    for (const level of name.split('/')) {
      node = node.children?.get(level)
      if (node === undefined) return undefined
    }
    return node
  }
}
