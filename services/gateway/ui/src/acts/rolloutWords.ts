/** What follows from actions on a rollout, in its own names and numbers. Pure. */
import type { RollbackPreview } from '../api/schema'
import { counted, listed } from './words.ts'

/** A deployment in an environment. */
export interface Pair {
  deployment: { id: string; name: string }
  environment: { id: string; name: string }
}

type Ways = Pick<RollbackPreview, 'items' | 'targets' | 'marked'>

const MOST = 6

/** Rolling back: how many go from where to where, what does not apply, and what stays away. */
export function rollbackWords(ways: Ways, where: string, withNames: boolean): string {
  const said = ways.items.slice(0, MOST).map((way) => `${withNames ? `${way.deployment.name}, ` : ''}${counted(way.targets, 'target')} from ${way.leaves.tag} ${towards(way)}`)
  const more = ways.items.length - said.length
  const all = more > 0 ? [...said, counted(more, 'more way')] : said
  const lead =
    ways.items.length === 1
      ? `Rolls ${where} back now: ${all[0]}.`
      : `Rolls ${counted(ways.targets, 'target')} of ${where} back now: ${all.join('; ')}.`
  return `${lead} Windows and cooldown do not apply. ${marks(ways)}`
}

function towards({ leaves, to }: Ways['items'][number]): string {
  return leaves.versionId === to.versionId ? 'to its release before, with other variables' : `to ${to.tag}`
}

function marks({ marked, targets }: Ways): string {
  const tags = [...new Set(marked.map((one) => one.tag))]
  const names = tags.length > MOST ? `${tags.length} versions` : listed(tags)
  const these = targets === 1 ? 'this target' : 'these targets'
  return `${names} ${tags.length === 1 ? 'stays' : 'stay'} away from ${these} until somebody lifts the mark.`
}

export function redeployWords({ deployment, environment }: Pair, targets: number, tags: readonly string[]): string {
  const what = tags.length === 1 ? tags[0] : tags.length ? `what each should run (${listed(tags)})` : 'what each should run'
  return `Makes one more job for each of the ${counted(targets, 'target')} of ${deployment.name} in ${environment.name} now, of ${what}, whatever policies and retries say. Jobs that run and freezes are waited for; bad marks of what is deployed are lifted.`
}

export function pinWords({ deployment, environment }: Pair, targets: number, tag: string): string {
  return `Only ${tag} of ${deployment.name} goes to the ${counted(targets, 'target')} in ${environment.name} from now on; newer versions stay away until the pin is released. Policies apply to ${tag} as ever.`
}

export function unpinWords({ deployment, environment }: Pair, targets: number, tag: string): string {
  return `${counted(targets, 'target')} of ${deployment.name} in ${environment.name} ${targets === 1 ? 'is' : 'are'} no longer held at ${tag}: the newest version that every rule allows goes there, at once if there is one.`
}

export function liftWords({ deployment, environment }: Pair, tag: string): string {
  return `${tag} of ${deployment.name} may go again to every target in ${environment.name} that it was marked bad on; it goes there at once where it is the newest that every rule allows.`
}
