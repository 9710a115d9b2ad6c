/** Changes to a map that take effect together, or not at all. */
export class Overlay<Value> {
  /** undefined where it is removed. */
  readonly changes = new Map<string, Value | undefined>()

  constructor(private readonly base: ReadonlyMap<string, Value>) {}

  get(key: string): Value | undefined {
    return this.changes.has(key) ? this.changes.get(key) : this.base.get(key)
  }

  has(key: string): boolean {
    return this.get(key) !== undefined
  }

  set(key: string, value: Value): void {
    this.changes.set(key, value)
  }

  delete(key: string): void {
    if (this.base.has(key)) this.changes.set(key, undefined)
    else this.changes.delete(key)
  }

  /** In the order of their first coming. */
  *entries(): Generator<[key: string, value: Value]> {
    for (const [key, value] of this.base) {
      const current = this.changes.has(key) ? this.changes.get(key) : value
      if (current !== undefined) yield [key, current]
    }
    for (const [key, value] of this.changes) if (value !== undefined && !this.base.has(key)) yield [key, value]
  }

  *values(): Generator<Value> {
    for (const [, value] of this.entries()) yield value
  }

  applyTo(target: Map<string, Value>): void {
    for (const [key, value] of this.changes) {
      if (value === undefined) target.delete(key)
      else target.set(key, value)
    }
  }
}
