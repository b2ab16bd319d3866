/** What ids of systems, deployments, environments and versions are called, as far as the board knows them. */
import { type ReadonlySignal, useComputed } from '@preact/signals'
import { useLayoutEffect } from 'preact/hooks'
import { cells, columns, rows, useOfBoard } from '../../board/board.ts'

export interface Names {
  of(id: string): string
  tag(versionId: string): string
}

export function useNames(): ReadonlySignal<Names> {
  useLayoutEffect(() => useOfBoard(), [])
  const names = useComputed(() => {
    const found = new Map<string, string>()
    for (const line of [...rows.value, ...columns.value]) {
      found.set(line.id, line.name)
      for (const system of line.systems) found.set(system.id, system.name)
    }
    return found
  })
  const tags = useComputed(() => {
    const found = new Map<string, string>()
    for (const cell of cells.values()) for (const one of [cell.desired, cell.heldVersion, ...cell.running]) if (one) found.set(one.versionId, one.tag)
    for (const row of rows.value) if (row.newest) found.set(row.newest.versionId, row.newest.tag)
    return found
  })
  return useComputed(() => ({
    of: (id) => names.value.get(id) ?? id.slice(0, 8),
    tag: (id) => tags.value.get(id) ?? id.slice(0, 8),
  }))
}
