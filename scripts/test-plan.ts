/** Which test files share a process, and in which order the processes run. */

/**
 * Folders whose files share one, because what they load takes longer than what they do; the slowest first, so that none
 * of them is alone at the end. Files of other folders have a process each.
 */
const TOGETHER = [
  'stress/conformance/',
  'stress/vulnerabilities/',
  'src/cli/',
  'storage/',
  'stress/load/',
  'src/lot/',
  'src/commands/',
  'src/mqtt/',
  'src/broker/',
  'src/base/',
  'src/net/',
  'src/projects/',
  'src/security/',
  'src/audit/',
  'src/config/',
  'src/lot-simulator/',
  'src/admin/',
]

/** Files that take longest, before everything else. */
const SLOW = [
  'scripts/docs-examples.',
  'scripts/tutorial.',
  'src/python/escapes.',
  'src/python/sandbox.',
  'stress/faults/',
  'stress/lot/',
  'stress/examples/',
  'stress/fuzz/',
  'src/python/',
  'src/lot-host/',
]

/** @param files paths of test files @returns those of each process; every file is in one of them */
export function planProcesses(files: readonly string[]): string[][] {
  const groups = new Map<string, string[]>()
  for (const file of [...files].sort()) {
    const name = TOGETHER.find((folder) => isIn(folder, file)) ?? file
    const group = groups.get(name)
    if (group === undefined) groups.set(name, [file])
    else group.push(file)
  }
  return [...groups.values()].sort((a, b) => rankOf(a[0]) - rankOf(b[0]))
}

function rankOf(file: string): number {
  const place = [...SLOW, ...TOGETHER].findIndex((part) => isIn(part, file))
  return place < 0 ? SLOW.length + TOGETHER.length : place
}

/** @param part how the path begins, within the folder of what was built */
function isIn(part: string, file: string): boolean {
  return file.startsWith(`dist/${part}`)
}
