/** The views of this workspace that this browser keeps. */
import { computed } from '@preact/signals'
import { workspaceId } from '../../api/client.ts'
import { keep, kept } from '../../frame/kept.ts'
import { type View, viewsIn } from './views.ts'

const name = () => `views ${workspaceId.value}`

export const saved = computed<readonly View[]>(() => viewsIn(kept(name()).value))

export function save(views: readonly View[]): void {
  keep(name(), JSON.stringify(views))
}
