/** Rows of the inbox by version, and what an approval of them is about. Pure. */
import type { Asked } from '../../acts/words.ts'
import type { BoardApproval } from '../../api/schema'
import { titleOf } from '../../why/words.ts'

export interface Group {
  key: string
  rows: readonly BoardApproval[]
}

/** Of one version together; what the reader can decide before what waits for others, the longest wait first. */
export function groupsOf(rows: readonly BoardApproval[]): Group[] {
  const groups = new Map<string, BoardApproval[]>()
  for (const row of rows) groups.set(row.version.versionId, [...(groups.get(row.version.versionId) ?? []), row])
  const mine = (some: readonly BoardApproval[]) => (some.some((one) => one.canAct) ? 0 : 1)
  const since = (some: readonly BoardApproval[]) => some.reduce((first, one) => (one.since < first ? one.since : first), '~')
  return [...groups.entries()]
    .map(([key, some]) => ({ key, rows: some.toSorted((a, b) => a.since.localeCompare(b.since) || a.key.localeCompare(b.key)) }))
    .sort((a, b) => mine(a.rows) - mine(b.rows) || since(a.rows).localeCompare(since(b.rows)))
}

/** Groups of which every row waits where a newer version of the same deployment waits as well: hardly what anybody wants to approve. */
export function passedBy(groups: readonly Group[]): Set<string> {
  const rows = groups.flatMap((group) => group.rows)
  const place = (one: BoardApproval) => `${one.deployment.id} ${one.environment.id}`
  const newest = new Map<string, string>()
  for (const one of rows) if (one.version.createdAt > (newest.get(place(one)) ?? '')) newest.set(place(one), one.version.createdAt)
  return new Set(groups.filter((group) => group.rows.every((one) => one.version.createdAt < (newest.get(place(one)) ?? ''))).map((one) => one.key))
}

/** What an approval of these rows, all of one version, is about. */
export function askedOf(rows: readonly BoardApproval[]): Asked | null {
  const first = rows[0]
  if (!first) return null
  return {
    versionId: first.version.versionId,
    tag: first.version.tag,
    deployment: first.deployment.name,
    rejectionBlocks: rows.some((one) => one.rejectionBlocks),
    environments: rows
      // Two rules of one environment are answered by one approval.
      .filter((one, index) => rows.findIndex((other) => other.environment.id === one.environment.id) === index)
      .map((one) => ({
        id: one.environment.id,
        name: one.environment.name,
        targets: one.targets,
        needs: one.needs,
        counts: one.counts,
        others: [...new Set(one.others.map((other) => titleOf(other.ruleType).toLowerCase()))],
        ...(one.running ? { running: one.running.tag } : {}),
      })),
  }
}

/** Why the reader can not decide; '' where they can. */
export function offOf(row: BoardApproval, userId: string): string {
  if (row.canAct) return ''
  if (row.said === 'approved') return 'You have approved it already.'
  if (!row.authorMayApprove && row.authors.includes(userId)) return 'You made this version, and the rule wants somebody else.'
  if (row.approverSelector) return `The rule wants approvals of whoever fits ${row.approverSelector}.`
  return 'You may not approve this.'
}
