/** Say how a version stands: ready, paused, bad; and lift its marks. Asked first, with how many targets it concerns. */
import { send } from '../../api/client.ts'
import type { RolloutExplanation } from '../../api/schema'
import { counted } from '../../acts/words.ts'
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

/** Lift the marks of a version on every target of an environment. */
export function liftEverywhere(version: { id: string; tag: string; deploymentId: string }, environment: { id: string; name: string }, blocked: number): void {
  confirm({
    title: `Lift the mark of ${version.tag} in ${environment.name}?`,
    consequence: `${version.tag} counts as any other version again on ${blocked ? counted(blocked, 'target') : 'every target'} in ${environment.name}: where it is the newest that every rule allows, it is deployed at once.`,
    verb: 'Lift the mark',
    danger: true,
    act: async ({ key }) => {
      await send('delete', '/api/v1/workspaces/{workspaceId}/deployments/{deploymentId}/environments/{environmentId}/bad-versions/{versionId}', {
        path: { deploymentId: version.deploymentId, environmentId: environment.id, versionId: version.id },
        key,
      })
      toast('healthy', `${version.tag} may go to ${environment.name} again.`)
    },
  })
}
