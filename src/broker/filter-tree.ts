/** Topic filters by level, each with a value; finds the values of all filters that match a topic name. */

class FilterNode<Value> {
  value: Value | undefined = undefined
  /** Most nodes have one child at most, and a map for it takes more memory than the node. */
  #only: FilterNode<Value> | undefined = undefined
  #children: Map<string, FilterNode<Value>> | undefined = undefined
  constructor(
    readonly level: string,
    readonly parent: FilterNode<Value> | undefined,
  ) {}

  get isLeaf(): boolean {
    return this.#only === undefined && this.#children === undefined
  }

  child(level: string): FilterNode<Value> | undefined {
    if (this.#only !== undefined) return this.#only.level === level ? this.#only : undefined
    return this.#children?.get(level)
  }

  /** There is none of this level yet. */
  addChild(level: string): FilterNode<Value> {
    const child = new FilterNode(level, this)
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

  pushChildren(nodes: FilterNode<Value>[]): void {
    if (this.#only !== undefined) nodes.push(this.#only)
    else if (this.#children !== undefined) for (const child of this.#children.values()) nodes.push(child)
  }
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
      node = node.child(level)
      if (node === undefined) return undefined
    }
    return node.value
  }

  /** @param make of the filter, where there is no value yet */
  getOrAdd(filter: string, make: (filter: string) => Value): Value {
    let node = this.#root
    for (const level of filter.split('/')) node = node.child(level) ?? node.addChild(level)
    if (node.value === undefined) {
      this.#size++
      node.value = make(filter)
    }
    return node.value
  }

  delete(filter: string): void {
    let node: FilterNode<Value> | undefined = this.#root
    for (const level of filter.split('/')) {
      node = node.child(level)
      if (node === undefined) return
    }
    if (node.value !== undefined) this.#size--
    node.value = undefined
    while (node?.parent !== undefined && node.value === undefined && node.isLeaf) {
      const parent: FilterNode<Value> = node.parent
      parent.removeChild(node.level)
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
      for (const node of nodes) {
        if (node.isLeaf) continue
        const exact = node.child(levels[depth])
        if (exact !== undefined) next.push(exact)
        if (!wildcards) continue
        const single = node.child('+')
        if (single !== undefined) next.push(single)
        const multi = node.child('#')?.value
        if (multi !== undefined) found.push(multi)
      }
      if (next.length === 0) return
      nodes = next
    }
    for (const node of nodes) {
      if (node.value !== undefined) found.push(node.value)
      const multi = node.child('#')?.value // "a/#" matches "a" too (§4.7.1.2)
      if (multi !== undefined) found.push(multi)
    }
  }

  /** All values, in no order. */
  values(): Value[] {
    const values: Value[] = []
    const open = [this.#root]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.value !== undefined) values.push(node.value)
      node.pushChildren(open)
    }
    return values
  }
}
