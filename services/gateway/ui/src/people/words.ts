/** Who did something, in words. Pure. */

/** 8 of its digits, for an id that has no name; anything else as it is. */
export function short(id: string): string {
  return isId(id) ? id.slice(0, 8) : id
}

export function isId(text: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)
}

/** What the API says of who did something: `user:…`, `key:…`, `agent:…` or `service:…`; without a kind an id, or a name, which may have a colon too. */
export function partsOf(by: string): { kind: string; id: string } {
  const [, kind = '', id = by] = /^(user|key|agent|service):(\S*)$/.exec(by) ?? []
  return { kind, id }
}

/** Who it was: a person by name, a service as such, who is not known by the beginning of the id. */
export function whoOf(by: string, name: (id: string) => string | undefined): string {
  const { kind, id } = partsOf(by)
  if (!id) return 'somebody'
  if (kind === 'service') return id
  const known = name(id)
  if (known) return known
  if (!isId(id)) return kind && kind !== 'user' ? `${kind} ${id}` : id
  return `${kind || 'user'} ${short(id)}`
}
