/** The targets of a deployment in an environment, page by page. What the stream tells of one takes its place at once; the list is only
 *  asked for again when the order of its rows may have changed. */
import { useSignal, useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { addressOf } from '../api/client.ts'
import { Coalesced } from '../api/coalesce.ts'
import type { BoardRollout, BoardTarget, RolloutHead } from '../api/schema'
import { subscribe } from '../live/link.ts'
import { type Paged, usePages } from '../parts/usePages.ts'
import { at } from '../router/location.ts'
import { type Told, merged, reorders } from './targets.ts'

const PATH = '/api/v1/workspaces/{workspaceId}/board/rollouts/{deploymentId}/{environmentId}'
/** How long an order may be old while its rows are true. */
const REORDER_MS = 1_000

export interface TargetsWanted {
  deploymentId: string
  environmentId: string
  /** Where this version stands on each; else what each target is about. */
  versionId?: string
  status?: string
}

export interface Targets extends Paged<BoardTarget> {
  /** The cell, as of the newest page. */
  readonly head: RolloutHead | null
}

/** `deploymentId` and `environmentId` must stay the same while the part that uses it is drawn: give it a key. */
export function useTargets(wanted: TargetsWanted, size = 100): Targets {
  const { deploymentId, environmentId, versionId } = wanted
  const told = useRef(new Map<string, Told>())
  const listed = useRef(new Map<string, BoardTarget>())
  const head = useSignal<RolloutHead | null>(null)
  const drawn = useSignal(0)
  const asked = useRef(versionId)
  asked.current = versionId
  const pages = usePages<BoardTarget & { from: number }, BoardRollout>(
    (limit, offset) => addressOf(PATH, { path: { deploymentId, environmentId }, query: { status: wanted.status, versionId, limit, offset } }),
    [],
    ({ items, total, cell, position }) => {
      head.value = cell
      for (const item of items) {
        listed.current.set(item.key, item)
        // Only what this page has: rows of other pages are as old as they were.
        if ((told.current.get(item.key)?.position ?? Infinity) <= position) told.current.delete(item.key)
      }
      return { items: items.map((item) => ({ ...item, from: position })), total }
    },
    size,
  )
  const reload = useRef(pages.reload)
  reload.current = pages.reload

  useSignalEffect(() => {
    if (at.value !== null) return
    const again: Coalesced = new Coalesced(async () => reload.current(again.heard), REORDER_MS)
    const leave = subscribe({
      topics: [`rollout:${deploymentId}/${environmentId}`],
      rows(changed, position) {
        for (const [, key, row] of changed) {
          const next = row as BoardTarget | null
          const before = told.current.get(key)?.row ?? listed.current.get(key)
          if (next) told.current.set(key, { row: next, position })
          if (reorders(before, next, asked.current)) again.touch(position)
        }
        drawn.value += 1
      },
      reset: (position) => again.touch(position),
    })
    return () => {
      leave()
      again.stop()
    }
  })

  return {
    get count() {
      return pages.count
    },
    get there() {
      return pages.there
    },
    get error() {
      return pages.error
    },
    get head() {
      return head.value
    },
    row(index) {
      void drawn.value
      const row = pages.row(index)
      const newer = row && told.current.get(row.key)
      return newer && newer.position > row.from ? merged(row, newer.row, versionId) : row
    },
    onWindow: pages.onWindow,
    reload: pages.reload,
  }
}
