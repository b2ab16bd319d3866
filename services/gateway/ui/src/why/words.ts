/** What a rule's line says: needs, has, until, who can act. Pure; the API says it, this only puts it in its place. */
import type { Reason, RolloutExplanation, WhoEnds } from '../api/schema'
import type { Status } from '../board/types.ts'

const TITLES: Record<string, string> = {
  anyApproval: 'Approval',
  approval: 'Approval',
  environmentProgression: 'Environment progression',
  gradualRollout: 'Gradual rollout',
  deploymentWindow: 'Deployment window',
  deploymentDependency: 'Dependency',
  versionDependency: 'Dependency',
  versionCooldown: 'Version cooldown',
  versionSelector: 'Version selector',
  versionStatus: 'Version status',
  versionPin: 'Pin',
  retry: 'Retry',
  rollback: 'Rollback',
  verification: 'Verification',
  planValidationOpa: 'Plan validation',
  freeze: 'Freeze',
  job: 'Job',
}

/** How a rule is called: `Gradual rollout`. One that is not known here is spelt from its name. */
export function titleOf(ruleType: string): string {
  const spelt = ruleType.replace(/([A-Z])/g, ' $1').replaceAll('_', ' ').trim().toLowerCase()
  return TITLES[ruleType] ?? spelt.charAt(0).toUpperCase() + spelt.slice(1)
}

/** How the line looks, in the words of the board: pending ends by time or by others, blocked needs somebody who acts, as an approval does. */
export function statusOf(reason: Pick<Reason, 'verdict' | 'ruleType'>): Status {
  if (reason.verdict === 'allowed') return 'healthy'
  return reason.verdict === 'blocked' || APPROVALS.has(reason.ruleType) ? 'blocked' : 'pending'
}

const APPROVALS = new Set(['anyApproval', 'approval'])

/** Of a rollout's targets, how many are held. What waits for an approval is blocked, as the board has it; what time or others end waits. */
export function heldOf({ waiting, blocked, reasons }: Pick<RolloutExplanation, 'waiting' | 'blocked' | 'reasons'>): { waiting: number; blocked: number } {
  return reasons.some((one) => statusOf(one) === 'blocked') ? { waiting: 0, blocked: waiting + blocked } : { waiting, blocked }
}

/** When it ends by itself or is looked at again; null when time alone changes nothing. */
export function untilOf(reason: Reason): string | null {
  const timed = reason.whoEnds.find((way) => way.kind === 'time' && way.at)
  return timed?.at || reason.lookAgainAt || null
}

/** What it needs: people who approve, else the sentence about its end. */
export function needsOf(reason: Reason): string {
  const missing = reason.whoEnds.flatMap((way) => way.approvals)
  if (missing.length) {
    return missing
      .map(({ missing: n, selector }) => `${n} more ${n === 1 ? 'approval' : 'approvals'}${selector ? ` from ${selector}` : ''}`)
      .join(', ')
  }
  return reason.endedBy
}

const WHO: Record<WhoEnds['kind'], string> = {
  time: 'nobody: it ends by itself',
  approvers: 'whoever may approve',
  users: 'the people named',
  anyone: 'anyone in this workspace',
  admin: 'whoever keeps the policy',
  publisher: 'whoever publishes versions',
  agent: 'the job agent',
  upstream: 'what must run elsewhere first',
  rules: 'other rules of this version',
}

/** A way to its end in words, with what it is about as links where there is something to link. */
export interface Way {
  kind: WhoEnds['kind']
  text: string
  users: readonly string[]
  links: readonly { route: 'deployment' | 'policy'; id: string }[]
}

/** Who, or what, can end it; of several, one is enough. */
export function waysOf(reason: Reason): Way[] {
  return reason.whoEnds.map((way) => ({
    kind: way.kind,
    text: way.kind === 'approvers' && way.selector ? `whoever fits ${way.selector}` : WHO[way.kind],
    users: way.kind === 'users' ? way.userIds : [],
    links: [
      ...(way.policyId ? [{ route: 'policy' as const, id: way.policyId }] : []),
      ...way.deploymentIds.map((id) => ({ route: 'deployment' as const, id })),
    ],
  }))
}

/** Open lines first, those that somebody must end before those that time ends; what passed comes last. */
export function inOrder(reasons: readonly Reason[]): Reason[] {
  const weight: Partial<Record<Status, number>> = { blocked: 0, pending: 1, healthy: 2 }
  const of = (one: Reason) => weight[statusOf(one)] ?? 2
  return [...reasons].sort((a, b) => of(a) - of(b))
}
