/** The board as the gateway sends it: `GET …/board` and the topic `matrix` of the stream. */

export const STATUSES = ['failed', 'blocked', 'progressing', 'pending', 'paused', 'healthy'] as const
export type Status = (typeof STATUSES)[number] | 'empty'

export interface VersionRef {
  versionId: string
  tag: string
}

export interface Named {
  id: string
  name: string
}

/** A row or a column; `position` is its place in the order. */
export interface Line extends Named {
  position: number
  systems: Named[]
  newest?: VersionRef | null
}

/** A deployment in an environment. `heldVersion` is a version newer than `desired` that may not go yet; `reason` is short, `message` a sentence. */
export interface Cell {
  key: string
  deploymentId: string
  environmentId: string
  targets: number
  done: number
  active: number
  failed: number
  held: number
  status: Status
  desired: VersionRef | null
  heldVersion: VersionRef | null
  running: (VersionRef & { targets: number })[]
  more: number
  pinned?: VersionRef | null
  reason: string
  message: string
  until: string | null
  since: string | null
}

export type Counters = Record<Status, number> & { approvals: number }

export interface Board {
  position: number
  at?: string
  deployments: Line[]
  environments: Line[]
  cells: Cell[]
  counters: Counters
  approvals?: number
}
