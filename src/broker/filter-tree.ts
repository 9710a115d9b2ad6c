/** Topic filters by level, each with a value; finds the values of all filters that match a topic name. */
import { type LevelNode, LevelTree } from '../mqtt/level-tree.js'

export class FilterTree<Value> extends LevelTree<Value> {
  /**
   * Appends to `found` the value of every filter that matches `topic`. Levels are walked with a list of the nodes that
   * are still possible, not by recursion: a topic may have thousands of levels.
   */
  match(topic: string, found: Value[]): void {
    const levels = topic.split('/')
    let nodes: LevelNode<Value>[] = [this.root]
    for (let depth = 0; depth < levels.length; depth++) {
      const wildcards = depth > 0 || !topic.startsWith('$') // [MQTT-4.7.2-1]
      const next: LevelNode<Value>[] = []
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

  /** All values, in no order; the tree may be changed meanwhile. */
  values(): Value[] {
    return [...this.each()]
  }
}
