/** Facts of the log in words. Pure. */

import { short, whoOf } from '../../people/words.ts'

export type Names = Readonly<Record<string, string>>

/** What a page knows of a fact in short. */
export interface EventInShort {
  type: string
  subject: string
  authid: string
  about: Readonly<Record<string, string>>
}

/** `policy.targets_cleared.v1` → `targets cleared`. */
export function wordsOf(type: string): string {
  return (type.split('.')[1] ?? type).replaceAll('_', ' ')
}

/** Whose fact it is: `policy`. */
export function serviceOf(type: string): string {
  return type.split('.')[0] ?? ''
}

/** Who did it: a person by name, a service as such, anybody else by the beginning of the id. */
export function byWhom(authid: string, names: Names, person: (id: string) => string | undefined = () => undefined): string {
  return names[authid] ?? (authid ? whoOf(authid, person) : 'nobody')
}

/** The thing that a fact is about: its name where it has one. */
export function thingOf(subject: string, names: Names): string {
  const slash = subject.indexOf('/')
  if (slash < 0) return subject
  const kind = subject.slice(0, slash).replaceAll('_', ' ')
  const id = subject.slice(slash + 1)
  // What is about a pair of things has both ids: `rollout/<deployment>/<environment>`.
  return `${kind} ${id
    .split('/')
    .map((part) => names[part] ?? short(part))
    .join(' / ')}`
}

const TOLD = ['deployment_id', 'version_id', 'environment_id', 'resource_id', 'policy_id', 'agent_id', 'user_id'] as const
const WORDS = ['status', 'verdict', 'tag', 'name', 'slug', 'identifier', 'reason', 'message'] as const

/** The rest of what is short in a fact: names of what it mentions, and its own words; not what the subject says already. */
export function restOf({ subject, about }: EventInShort, names: Names): string {
  const said = thingOf(subject, names)
  const parts: string[] = []
  for (const field of TOLD) {
    const id = about[field]
    const name = id ? names[id] : undefined
    if (name && !subject.includes(id ?? '') && !parts.includes(name)) parts.push(name)
  }
  for (const field of WORDS) {
    const text = about[field]
    if (text && !said.includes(text) && !parts.includes(text)) parts.push(text)
  }
  return parts.join(' · ')
}

/** The texts at the top of a payload, as chains tell them. */
export function aboutOf(data: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).filter((one): one is [string, string] => typeof one[1] === 'string' && one[1].length <= 200))
}

/** The kinds of facts by the service that records them, both sorted. */
export function byService<T extends { type: string }>(types: readonly T[]): [service: string, types: T[]][] {
  const found = new Map<string, T[]>()
  for (const one of types) {
    const service = serviceOf(one.type)
    found.set(service, [...(found.get(service) ?? []), one])
  }
  return [...found].sort(([a], [b]) => a.localeCompare(b))
}

interface Linked {
  id: string
  position: number
  causationid: string
}

/** How far each effect is from the fact that all of them follow from: 1 for what it led to itself. */
export function depthsOf(root: string, effects: readonly Linked[]): Map<string, number> {
  const depths = new Map([[root, 0]])
  // Effects come in the order of the log, so that each comes after what led to it.
  for (const one of effects) depths.set(one.id, (depths.get(one.causationid) ?? 0) + 1)
  depths.delete(root)
  return depths
}

/** Effects under what led to them, each branch in the order of the log. */
export function asTree<T extends Linked>(root: string, effects: readonly T[]): T[] {
  const under = new Map<string, T[]>()
  for (const one of effects) under.set(one.causationid, [...(under.get(one.causationid) ?? []), one])
  const out: T[] = []
  const walk = (id: string) => {
    for (const one of under.get(id) ?? []) {
      out.push(one)
      walk(one.id)
    }
  }
  walk(root)
  return out
}

/** Whether a head that the stream tells may be one of the facts that are looked for. A text can only be looked for by the server. */
export function mayFit(head: { type: string; subject: string }, filter: { types: string; subject: string }): boolean {
  if (filter.subject && head.subject !== filter.subject) return false
  if (!filter.types) return true
  return filter.types.split(',').some((one) => (one.endsWith('.*') ? head.type.startsWith(one.slice(0, -1)) : head.type === one))
}
