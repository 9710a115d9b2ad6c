/** Topic filters by level, each with any number of values; finds those of all filters that match a topic name. */
class Level<Value> {
  readonly values = new Set<Value>()
  readonly below = new Map<string, Level<Value>>()
}

export class FilterIndex<Value> {
  readonly #root = new Level<Value>()

  add(filter: string, value: Value): void {
    let level = this.#root
    for (const name of filter.split('/')) {
      let next = level.below.get(name)
      if (next === undefined) {
        next = new Level()
        level.below.set(name, next)
      }
      level = next
    }
    level.values.add(value)
  }

  delete(filter: string, value: Value): void {
    const path: (readonly [Level<Value>, string])[] = []
    let level: Level<Value> | undefined = this.#root
    for (const name of filter.split('/')) {
      path.push([level, name])
      level = level.below.get(name)
      if (level === undefined) return
    }
    level.values.delete(value)
    for (const [above, name] of path.reverse()) {
      const at = above.below.get(name)
      if (at === undefined || at.values.size > 0 || at.below.size > 0) return
      above.below.delete(name)
    }
  }

  /** @returns values in no order; one that was added with several matching filters comes several times */
  match(topic: string): Value[] {
    const found: Value[] = []
    this.#collect(this.#root, topic.split('/'), 0, topic.startsWith('$'), found)
    return found
  }

  #collect(level: Level<Value>, names: readonly string[], depth: number, isSystem: boolean, found: Value[]): void {
    // wildcards at the beginning do not reach `$` topics [MQTT-4.7.2-1]
    const mayBeWild = depth > 0 || !isSystem
    if (mayBeWild) for (const value of level.below.get('#')?.values ?? []) found.push(value)
    if (depth === names.length) {
      for (const value of level.values) found.push(value)
      return
    }
    const exact = level.below.get(names[depth])
    if (exact !== undefined) this.#collect(exact, names, depth + 1, isSystem, found)
    const any = mayBeWild ? level.below.get('+') : undefined
    if (any !== undefined) this.#collect(any, names, depth + 1, isSystem, found)
  }
}
