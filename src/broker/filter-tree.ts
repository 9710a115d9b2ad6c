/** Topic filters by level, each with a value; finds the values of all filters that match a topic name. */

class FilterNode<Value> {
  value: Value | undefined = undefined
  children: Map<string, FilterNode<Value>> | undefined = undefined
  constructor(
    readonly level: string,
    readonly parent: FilterNode<Value> | undefined,
  ) {}
}

export class FilterTree<Value> {
  readonly #root = new FilterNode<Value>('', undefined)
  #size = 0

  /** Filters with a value. */
  get size(): number {
    return this.#size
  }

  get(filter: string): Value | undefined {
    let node: FilterNode<Value> | undefined = this.#root
    for (const level of filter.split('/')) {
      node = node.children?.get(level)
      if (node === undefined) return undefined
    }
    return node.value
  }

  set(filter: string, value: Value): void {
    let node = this.#root
    for (const level of filter.split('/')) {
      node.children ??= new Map()
      let child = node.children.get(level)
      if (child === undefined) {
        child = new FilterNode(level, node)
        node.children.set(level, child)
      }
      node = child
    }
    if (node.value === undefined) this.#size++
    node.value = value
  }

  delete(filter: string): void {
    let node: FilterNode<Value> | undefined = this.#root
    for (const level of filter.split('/')) {
      node = node.children?.get(level)
      if (node === undefined) return
    }
    if (node.value !== undefined) this.#size--
    node.value = undefined
    while (node?.parent !== undefined && node.value === undefined && node.children === undefined) {
      const parent: FilterNode<Value> = node.parent
      parent.children?.delete(node.level)
      if (parent.children?.size === 0) parent.children = undefined
      node = parent
    }
  }

  /**
   * Appends to `found` the value of every filter that matches `topic`. Levels are walked with a list of the nodes that
   * are still possible, not by recursion: a topic may have thousands of levels.
   */
  match(topic: string, found: Value[]): void {
    const levels = topic.split('/')
    let nodes: FilterNode<Value>[] = [this.#root]
    for (let depth = 0; depth < levels.length; depth++) {
      const wildcards = depth > 0 || !topic.startsWith('$') // [MQTT-4.7.2-1]
      const next: FilterNode<Value>[] = []
      for (const { children } of nodes) {
        if (children === undefined) continue
        const exact = children.get(levels[depth])
        if (exact !== undefined) next.push(exact)
        if (!wildcards) continue
        const single = children.get('+')
        if (single !== undefined) next.push(single)
        const multi = children.get('#')?.value
        if (multi !== undefined) found.push(multi)
      }
      if (next.length === 0) return
      nodes = next
    }
    for (const { value, children } of nodes) {
      if (value !== undefined) found.push(value)
      const multi = children?.get('#')?.value // "a/#" matches "a" too (§4.7.1.2)
      if (multi !== undefined) found.push(multi)
    }
  }

  /** All values, in no order. */
  values(): Value[] {
    const values: Value[] = []
    const open = [this.#root]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.value !== undefined) values.push(node.value)
      if (node.children !== undefined) for (const child of node.children.values()) open.push(child)
    }
    return values
  }
}
