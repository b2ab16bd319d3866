/** What a deployment's page says and shows that needs working out. Pure. */
import type { DeploymentGates, GatedEnvironment, Policy, Reach, Reason, RolloutExplanation } from '../../api/schema'
import type { Status } from '../../board/types.ts'
import { counted } from '../../acts/words.ts'
import { kindsOf } from '../../rules/sentences.ts'
import { heldOf, statusOf, titleOf, untilOf } from '../../why/words.ts'

export type Far = 'all' | 'some' | 'wanted' | 'none'

/** How far a version came in an environment. */
export function farOf({ targets, running, desired }: Reach): Far {
  if (targets && running >= targets) return 'all'
  if (running) return 'some'
  return desired ? 'wanted' : 'none'
}

/** The same in words: `staging 3 of 4`. */
export function reachWords(reach: readonly Reach[]): string {
  return reach
    .filter((one) => one.targets)
    .map((one) => `${one.name} ${one.running} of ${one.targets}`)
    .join(', ')
}

export interface Standing {
  status: Status
  text: string
}

/** Where the picked version stands in an environment. */
export function standingOf(rollout: RolloutExplanation | undefined): Standing {
  if (!rollout || !rollout.total) return { status: 'empty', text: 'no targets' }
  const { done, going, passed, total } = rollout
  const { waiting, blocked } = heldOf(rollout)
  if (done === total) return { status: 'healthy', text: total === 1 ? 'there already' : `on all ${total}` }
  const so = done ? `${done} of ${total} done` : ''
  const say = (text: string) => [so, text].filter(Boolean).join(', ')
  if (blocked) return { status: 'blocked', text: say(`${blocked === total ? 'blocked' : `${blocked} blocked`}`) }
  if (going) return { status: 'progressing', text: say(`${going} on the way`) }
  if (waiting) return { status: 'pending', text: say(waiting === total ? 'waits' : `${waiting} waiting`) }
  return { status: 'paused', text: passed === total ? 'passed over' : say(`${passed} passed over`) }
}

export interface GateLine {
  key: string
  status: Status
  title: string
  /** The whole sentence. */
  text: string
  until: string | null
  /** What holds, for buttons; null for what is passed. */
  reason: Reason | null
}

/** Kinds of rules that let a version wait; the others say what follows from its deployment. */
const HOLDING = new Set(['anyApproval', 'environmentProgression', 'gradualRollout', 'deploymentWindow', 'deploymentDependency', 'versionCooldown', 'versionSelector', 'planValidationOpa'])

/** The gate before an environment: what holds first, then what is passed; without a version's reasons, the rules that apply. */
export function gateOf(reasons: readonly Reason[], gated: GatedEnvironment | undefined, policies: readonly Policy[], arrived: boolean): GateLine[] {
  // A freeze that does not hold here is no gate.
  const told = reasons.filter((one) => one.ruleType !== 'freeze' || one.verdict !== 'allowed').map((reason, index): GateLine => ({
    key: `${reason.ruleId || reason.ruleType} ${index}`,
    status: statusOf(reason),
    title: titleOf(reason.ruleType),
    text: reason.message,
    until: reason.verdict === 'allowed' ? null : untilOf(reason),
    reason: reason.verdict === 'allowed' ? null : reason,
  }))
  const known = new Set(reasons.map((one) => one.ruleId))
  const rest = (gated?.gates ?? []).flatMap(({ policyId }) => {
    const policy = policies.find((one) => one.id === policyId)
    return (policy?.rules ?? []).flatMap((rule): GateLine[] => {
      const kinds = kindsOf(rule as unknown as Record<string, unknown>).filter((kind) => HOLDING.has(kind))
      if (known.has(rule.id) || !kinds.length) return []
      return kinds.map((kind) => ({ key: `${rule.id} ${kind}`, status: arrived ? 'healthy' : 'empty', title: titleOf(kind), text: policy?.name ?? '', until: null, reason: null }))
    })
  })
  const weight: Partial<Record<Status, number>> = { blocked: 0, pending: 1, healthy: 2, empty: 3 }
  return [...told, ...rest].sort((a, b) => (weight[a.status] ?? 0) - (weight[b.status] ?? 0))
}

/** What a screen reader hears of a version on the line. */
export function chipWords(tag: string, status: string, reach: readonly Reach[]): string {
  const where = reachWords(reach)
  return `${tag}, ${status === 'unspecified' ? 'no status' : status}${where ? `: ${where}` : ''}`
}

export interface Applied {
  policy: Policy
  /** Where it applies, and on how many of the targets there. */
  where: { environmentId: string; targets: number; of: number }[]
}

/** The policies of a deployment, in their order, and where each applies. */
export function appliedOf({ items, policies }: DeploymentGates): Applied[] {
  return [...policies]
    .sort((a, b) => b.priority - a.priority || b.createdAt.localeCompare(a.createdAt))
    .map((policy) => ({
      policy,
      where: items.flatMap(({ environmentId, targets, gates }) => {
        const gate = gates.find((one) => one.policyId === policy.id)
        return gate ? [{ environmentId, targets: gate.targets, of: targets }] : []
      }),
    }))
}

/** `all 6 targets in production`, `2 of 6 targets in production`. */
export function whereWords(name: string, targets: number, of: number): string {
  return targets === of ? `${of === 1 ? 'the target' : `all ${counted(of, 'target')}`} in ${name}` : `${targets} of ${counted(of, 'target')} in ${name}`
}
