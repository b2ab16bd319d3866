/** What follows from an action, in the names and numbers of the thing at hand. Pure. */
import type { Reason } from '../api/schema'
import { titleOf } from '../why/words.ts'

export interface AskedPlace {
  id: string
  name: string
  /** How many targets wait for it there; null where that is not known. */
  targets: number | null
  needs?: number
  counts?: number
  /** How many approvals are missing, that of the reader among them, where the rule's own numbers are not at hand. */
  missing?: number
  running?: string
  /** What else is in the way, by name of the rule. */
  others?: readonly string[]
}

export interface Asked {
  versionId: string
  tag: string
  deployment: string
  environments: readonly AskedPlace[]
  rejectionBlocks?: boolean
}

/** What an explanation says of approvals that are missing, and of what else holds. */
export function standsOf(reasons: readonly Pick<Reason, 'ruleType' | 'verdict' | 'whoEnds'>[]): Pick<AskedPlace, 'missing' | 'others'> {
  const open = reasons.filter((one) => one.verdict !== 'allowed')
  const asked = open.filter((one) => one.ruleType === 'anyApproval')
  const missing = asked.map((one) => one.whoEnds.flatMap((way) => way.approvals).reduce((sum, { missing: n }) => sum + n, 0))
  return { missing: Math.max(0, ...missing), others: [...new Set(open.filter((one) => !asked.includes(one)).map((one) => titleOf(one.ruleType).toLowerCase()))] }
}

export function counted(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? ''
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

export function approvalTitle({ deployment, tag, environments }: Asked, status: 'approved' | 'rejected'): string {
  return `${status === 'approved' ? 'Approve' : 'Reject'} ${deployment} ${tag} for ${listed(environments.map((one) => one.name))}?`
}

/** What an approval does: what goes where, whether it is enough, and what is in the way still. */
export function approvalWords({ tag, environments }: Asked): string {
  return environments.map((one) => place(tag, one)).join(' ')
}

function place(tag: string, { name, targets, needs, counts = 0, missing: lacks = 0, running, others = [] }: AskedPlace): string {
  const from = running ? ` (now ${running})` : ''
  const where = targets === null ? name : `${counted(targets, 'target')} in ${name}${from}`
  const missing = Math.max(0, (needs === undefined ? lacks : needs - counts) - 1)
  if (missing) return `Lets ${tag} go to ${where} once ${counted(missing, 'more person', 'more people')} approved it${needs === undefined ? '' : ` (${counts + 1} of ${needs} with yours)`}.`
  const rest = others.length ? ` as soon as ${listed(others)} ${others.length === 1 ? 'allows' : 'allow'} it` : ' at once'
  return `Lets ${tag} go to ${where}${rest}.`
}

export function rejectionWords({ tag, environments, rejectionBlocks }: Asked): string {
  const names = listed(environments.map((one) => one.name))
  const targets = environments.reduce((sum, one) => sum + (one.targets ?? 0), 0)
  const rest = targets ? `${counted(targets, 'target')} there ${targets === 1 ? 'stays' : 'stay'} as ${targets === 1 ? 'it is' : 'they are'}.` : ''
  const vetoes = rejectionBlocks === undefined ? '' : rejectionBlocks ? `Nobody else's approval lets it go there until you take this back.` : 'Approvals of enough others still let it go.'
  return `Records your no to ${tag} for ${names}. ${rest} ${vetoes}`.replaceAll('  ', ' ').trimEnd()
}

/** What skipping a rule does. */
export function skipWords(tag: string, rule: string, where: string, until: string): string {
  return `Lets ${tag} pass “${rule}” on ${where} ${until}, whatever the rule says. All other rules stay as they are, and so does this one for every other version.`
}

export const EXPIRIES: readonly { label: string; hours: number | null }[] = [
  { label: 'for 1 hour', hours: 1 },
  { label: 'for 8 hours', hours: 8 },
  { label: 'for 1 day', hours: 24 },
  { label: 'for 7 days', hours: 168 },
  { label: 'for good', hours: null },
]

/** When a skip of so many hours ends, counted from now; undefined: never. */
export function expiry(hours: number | null, now: number): string | undefined {
  return hours === null ? undefined : new Date(now + hours * 3_600_000).toISOString()
}

/** As `expiry`, for a request that may be tried again under its key after an outage: it is the same request only while its end is the same. */
export function expiries(): (key: string, hours: number | null, now: number) => string | undefined {
  const begun = new Map<string, number>()
  return (key, hours, now) => {
    const from = begun.get(key) ?? now
    begun.set(key, from)
    return expiry(hours, from)
  }
}
