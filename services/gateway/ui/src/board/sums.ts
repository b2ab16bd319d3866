/** What cells of the board come to together, and which of its lines fit what was typed. Pure. */
import { type Cell, type Line, STATUSES, type Status } from './types.ts'

export interface Sum {
  targets: number
  done: number
  active: number
  failed: number
  held: number
  deployments: number
  /** The worst status of its cells. */
  status: Status
}

/** What is in some cells, those without targets left out. */
export function sumOf(cells: readonly Cell[]): Sum {
  const full = cells.filter((one) => one.targets)
  const add = (of: (cell: Cell) => number) => full.reduce((sum, one) => sum + of(one), 0)
  return {
    targets: add((one) => one.targets),
    done: add((one) => one.done),
    active: add((one) => one.active),
    failed: add((one) => one.failed),
    held: add((one) => one.held),
    deployments: full.length,
    status: STATUSES.find((status) => full.some((one) => one.status === status)) ?? 'empty',
  }
}

/** Rows or columns of which the name or a system fits what was typed. */
export function fitting(lines: readonly Line[], typed: string): Line[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  return lines.filter((line) => {
    const text = [line.name, ...line.systems.map((one) => one.name)].join(' ').toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
