/** Rows of targets: what a newer one means for an older one. Pure. */
import type { BoardTarget } from '../api/schema'

/** A row that the stream carried, and up to where it is true. */
export interface Told {
  row: BoardTarget
  position: number
}

/** A row with what was told of it since. The stream tells of the version that the target itself is about: what is known of the one that
 *  was asked about stays, until it is asked again. */
export function merged(known: BoardTarget, told: BoardTarget, versionId: string | undefined): BoardTarget {
  const next: BoardTarget = known.order === undefined ? told : { ...told, order: known.order ?? 0 }
  if (!versionId || told.version?.versionId === versionId) return next
  return { ...next, version: known.version, verdict: known.verdict, holds: known.holds }
}

/** Whether the list must be asked for again: a row came or went, has another place, or stands elsewhere with the version asked about. */
export function reorders(before: BoardTarget | undefined, next: BoardTarget | null, versionId: string | undefined): boolean {
  if (!before || !next) return true
  if (before.status !== next.status || before.until !== next.until) return true
  return versionId !== undefined && next.version?.versionId !== versionId
}
