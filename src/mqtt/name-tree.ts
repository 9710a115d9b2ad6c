/** Topic names by level, each with a value; finds the values of all names that a topic filter matches. */
import { type LevelNode, LevelTree } from './level-tree.js'

export class NameTree<Value> extends LevelTree<Value> {
  /** Values of all names that `filter` matches, with the `$` rule [MQTT-4.7.2-1]. Do not change the tree meanwhile. */
  *matching(filter: string): Generator<Value> {
    const levels = filter.split('/')
    let nodes: LevelNode<Value>[] = [this.root]
    for (let depth = 0; depth < levels.length; depth++) {
      const level = levels[depth]
      if (level === '#') {
        yield* this.#below(nodes, depth)
        return
      }
      const next: LevelNode<Value>[] = []
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

  *#below(nodes: readonly LevelNode<Value>[], depth: number): Generator<Value> {
    const open = [...nodes]
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      if (node.value !== undefined) yield node.value
      node.pushChildren(open, depth > 0 || node.parent !== undefined)
    }
  }
}
