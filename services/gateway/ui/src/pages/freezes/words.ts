/** What freezes stop, in words. Pure. */
import { counted, listed } from '../../acts/words.ts'
import { selectorWords } from '../../rules/sentences.ts'

export interface Scoped {
  scope: 'workspace' | 'system' | 'environment' | 'deployment'
  scopeId?: string
  selector?: string
}

/** What it is for: `everything`, `environment production, where resource with region eu`. */
export function scopeWords({ scope, scopeId, selector }: Scoped, name: (id: string) => string): string {
  const what = scope === 'workspace' ? 'the whole workspace' : `${scope} ${name(scopeId ?? '')}`
  return selector && selector.trim() !== 'true' ? `${what}, where ${selectorWords(selector)}` : what
}

export interface HeldRollout {
  deploymentId: string
  environmentId: string
  versionId: string
  targets: number
}

export interface Held {
  targets: number
  waiting: number
  rollouts: readonly HeldRollout[]
}

/** `36 targets; 12 of them have a version on the way: checkout v1.2 in production (6) and 2 more rollouts.` */
export function heldWords(held: Held, name: (id: string) => string, tag: (id: string) => string, most = 3): string {
  if (!held.targets) return 'no release target'
  const on = counted(held.targets, 'target')
  if (!held.waiting) return `${on}, none of which has a version on the way`
  const first = held.rollouts.slice(0, most).map((one) => `${name(one.deploymentId)} ${tag(one.versionId)} in ${name(one.environmentId)} (${one.targets})`)
  const rest = held.rollouts.length - first.length
  const them = held.targets === 1 ? 'a version is on the way to it' : `${held.waiting === held.targets ? 'all' : held.waiting} of them have a version on the way`
  return `${on}; ${them}: ${listed([...first, ...(rest > 0 ? [`${counted(rest, 'more rollout')}`] : [])])}`
}

export type When = 'active' | 'planned' | 'past'

export interface Standing {
  active: boolean
  dead: boolean
  thawedAt?: string
  endsAt?: string
  nextChange?: string
  rrule?: string
}

/** Whether it holds, will, or never will again. */
export function whenOf(one: Standing): When {
  if (one.thawedAt || one.dead) return 'past'
  if (one.active) return 'active'
  return one.nextChange ? 'planned' : 'past'
}

/** What is missing of a freeze before it can be declared; '' for nothing. Without an end where one is meant it would last for good. */
export function lackingOf(one: { scope: Scoped['scope']; scopeId: string; lasts: string; ends: string }): string {
  if (one.scope !== 'workspace' && !one.scopeId) return `Choose which ${one.scope}.`
  return one.lasts === 'at' && !instantOf(one.ends) ? 'Say until when.' : ''
}

/** The end of a freeze that lasts so long, or until a time of the day: what the field of the browser says is in the reader's zone. */
export function instantOf(local: string): string | undefined {
  const ms = local ? new Date(local).getTime() : Number.NaN
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
}

/** An instant for a field of the browser, in the reader's zone: `2026-03-04T14:05`. */
export function localOf(instant: number): string {
  const there = new Date(instant - new Date(instant).getTimezoneOffset() * 60_000)
  return there.toISOString().slice(0, 16)
}
