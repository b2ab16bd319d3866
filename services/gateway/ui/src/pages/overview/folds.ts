/** Which groups of the matrix are folded: this browser remembers it, for each workspace. */
import { computed } from '@preact/signals'
import { workspaceId } from '../../api/client.ts'
import { keep, kept } from '../../frame/kept.ts'

/** More are never of use; systems that went would stay in it for ever. */
const MOST = 500
const name = () => `folded ${workspaceId.value}`

/** The keys of the groups. */
export const folded = computed<ReadonlySet<string>>(() => new Set(kept(name()).value.split(',')))

export function fold(group: string): void {
  const others = [...folded.peek()].filter((one) => one && one !== group)
  keep(name(), (folded.peek().has(group) ? others : [...others, group]).slice(-MOST).join(','))
}
