/** Filters that have a name. Pure. */

export interface View {
  name: string
  filter: string
}

/** So many have room in a menu that can still be read. */
export const MOST = 50
export const LONGEST = 60

/** The views in what was kept; what is none of ours, or was written by hand, counts as nothing. */
export function viewsIn(text: string): View[] {
  try {
    const given: unknown = JSON.parse(text || '[]')
    if (!Array.isArray(given)) return []
    return given.filter((one): one is View => typeof one?.name === 'string' && typeof one?.filter === 'string').slice(0, MOST)
  } catch {
    return []
  }
}

/** Why a view can not be called so; '' if it can. `than`: the one that is called anew. */
export function refusal(views: readonly View[], name: string, than?: View): string {
  const wanted = name.trim().toLowerCase()
  if (!wanted) return 'Give it a name.'
  const same = views.find((one) => one !== than && one.name.toLowerCase() === wanted)
  if (same) return `There is a view “${same.name}” already.`
  if (!than && views.length >= MOST) return `There are ${MOST} views, and no more can be: delete one first.`
  return ''
}

/** With one more, or with one called anew or taken away (null): by name. */
export function changed(views: readonly View[], one: View | null, instead?: View): View[] {
  const others = views.filter((other) => other !== instead)
  return [...others, ...(one ? [{ name: one.name.trim(), filter: one.filter.trim() }] : [])].sort((a, b) => a.name.localeCompare(b.name))
}

/** The view that a filter is. */
export function viewOf(views: readonly View[], filter: string): View | undefined {
  return views.find((one) => one.filter === filter.trim())
}
