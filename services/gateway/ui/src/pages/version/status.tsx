/** Say how a version stands: ready, paused, bad. Asked first, with how many targets it concerns. */
import { send } from '../../api/client.ts'
import type { RolloutExplanation } from '../../api/schema'
import { confirm } from '../../parts/Dialog.tsx'
import { toast } from '../../parts/say.tsx'
import { type Change, consequenceOf } from './words.ts'

export function setStatus({ status, verb, danger }: Change, version: { id: string; tag: string; name: string }, rollouts: readonly RolloutExplanation[]): void {
  confirm({
    title: `${verb}: ${version.name} ${version.tag}?`,
    consequence: consequenceOf(status, version.tag, rollouts),
    verb,
    danger,
    reason: status === 'ready' ? 'optional' : 'required',
    act: async ({ reason, key }) => {
      await send('put', '/api/v1/workspaces/{workspaceId}/deployment-versions/{deploymentVersionId}/status', {
        path: { deploymentVersionId: version.id },
        body: { status, message: reason || null },
        key,
      })
      toast('healthy', `${version.tag} is ${status}.`)
    },
  })
}
