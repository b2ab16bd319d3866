/** What freezes stop, in words. Pure. */
import { counted, listed } from '../../acts/words.ts'
import { selectorWords } from '../../rules/sentences.ts'
import { left } from '../../time/words.ts'

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
export function lackingOf(one: { scope: Scoped['scope']; scopeId: string; lasts: string; ends: string; starts: string }): string {
  if (one.scope !== 'workspace' && !one.scopeId) return `Choose which ${one.scope}.`
  if (one.lasts === 'at' && !one.ends) return 'Say until when.'
  return (one.lasts === 'at' ? unfinished('end', one.ends) : '') || unfinished('start', one.starts)
}

/** What a form has of a field of the browser in which a day or a time is half typed: no instant, and not none either. */
export const HALF = 'half'

/** What to say of an instant that can not be read; '' for one that can, and for none. */
export function unfinished(which: 'start' | 'end', local: string): string {
  return local && !instantOf(local) ? `The ${which} is no whole date and time: finish it, or empty it.` : ''
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

export interface Changeable {
  reason: string
  endsAt?: string
  durationMinutes?: number | null
  rrule?: string
  /** false: it does not hold now. */
  active?: boolean
}

/** A freeze while it is changed; the end as the field of the browser has it, '' for none. */
export interface Wished {
  reason: string
  ends: string
  minutes: string
}

export interface Change {
  reason?: string
  /** null: it has no end any more. */
  endsAt?: string | null
  durationMinutes?: number
}

export function wishOf(freeze: Changeable): Wished {
  return { reason: freeze.reason, ends: freeze.endsAt ? localOf(Date.parse(freeze.endsAt)) : '', minutes: String(freeze.durationMinutes ?? '') }
}

/** What differs from how it is; an end whose field was not touched keeps its seconds. */
export function changeOf(freeze: Changeable, wish: Wished): Change {
  const was = wishOf(freeze)
  const change: Change = {}
  if (wish.reason.trim() !== was.reason) change.reason = wish.reason.trim()
  // What can not be read is no wish to have none.
  const ends = wish.ends ? instantOf(wish.ends) : null
  if (wish.ends !== was.ends && ends !== undefined) change.endsAt = ends
  if (freeze.rrule && wish.minutes !== was.minutes) change.durationMinutes = Number(wish.minutes)
  return change
}

/** What a change does, with instants as the API has them: where it goes on, and for how much longer. */
export function changeWords(freeze: Changeable, change: Change, where: string, now: number): string {
  const before = freeze.endsAt ? `until ${freeze.endsAt}` : 'until somebody thaws it'
  const stays = freeze.rrule ? `${where} is frozen again and again` : `${where} ${freeze.active === false ? 'will be' : 'stays'} frozen`
  const said: string[] = []
  if (change.endsAt === null) said.push(`${stays} until somebody thaws it, not ${before}.`)
  else if (change.endsAt !== undefined) {
    const to = Date.parse(change.endsAt)
    const from = freeze.endsAt ? Date.parse(freeze.endsAt) : Number.NaN
    const by = Number.isNaN(from) ? '' : to > from ? `: ${left(to, from)} longer` : `: ${left(from, to)} shorter`
    said.push(to <= now ? `This end is past: to end the freeze of ${where} now, thaw it.` : `${stays} until ${change.endsAt}, not ${before}${by}.`)
  } else said.push(`${stays} ${before}, as before.`)
  if (change.durationMinutes !== undefined) said.push(`Each time it lasts ${counted(change.durationMinutes, 'minute')} instead of ${freeze.durationMinutes ?? 0}.`)
  if (change.reason !== undefined) said.push('Whoever is held by it reads the new reason.')
  const text = said.join(' ')
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** What is missing of a change before it can be sent; '' for nothing. */
export function lackingOfChange(freeze: Changeable, change: Change, now: number): string {
  if (!Object.keys(change).length) return 'Nothing is changed yet.'
  if (change.reason === '') return 'Say why it is frozen.'
  if (change.endsAt && Date.parse(change.endsAt) <= now) return 'This end is past: choose a later one, or thaw the freeze to end it now.'
  if (change.durationMinutes !== undefined && !(change.durationMinutes >= 1)) return `Say for how many minutes${freeze.rrule ? ' each time' : ''}.`
  return ''
}
