/** Approve or reject a version for environments: asked first, with what follows from it. */
import { requestKey, send } from '../api/client.ts'
import { type Confirmed, confirm } from '../parts/Dialog.tsx'
import { toast } from '../parts/say.tsx'
import { type Asked, approvalTitle, approvalWords, listed, rejectionWords } from './words.ts'

export type Vote = 'approved' | 'rejected' | 'withdrawn'

const PATH = '/api/v1/workspaces/{workspaceId}/deployment-versions/{deploymentVersionId}/user-approval-records'

/** Record what somebody says. */
export function vote(versionId: string, environmentIds: string[], status: Vote, { reason, key }: Confirmed): Promise<unknown> {
  return send('put', PATH, { path: { deploymentVersionId: versionId }, body: { environmentIds, status, reason: reason || null }, key })
}

/** Ask, and record. What was approved can be taken back from the message that says so. */
export function askApproval(asked: Asked, status: 'approved' | 'rejected', sent?: (on: boolean) => void): void {
  const ids = asked.environments.map((one) => one.id)
  const where = listed(asked.environments.map((one) => one.name))
  confirm({
    title: approvalTitle(asked, status),
    consequence: status === 'approved' ? approvalWords(asked) : rejectionWords(asked),
    verb: status === 'approved' ? 'Approve' : 'Reject',
    danger: status === 'rejected',
    reason: status === 'approved' ? 'optional' : 'required',
    act: async (confirmed) => {
      sent?.(true)
      try {
        await vote(asked.versionId, ids, status, confirmed)
      } finally {
        sent?.(false)
      }
      toast('healthy', `${status === 'approved' ? 'Approved' : 'Rejected'} ${asked.deployment} ${asked.tag} for ${where}.`, () => {
        vote(asked.versionId, ids, 'withdrawn', { reason: '', key: requestKey() }).then(
          () => toast('pending', `Taken back: ${asked.deployment} ${asked.tag} for ${where}.`),
          (failure: unknown) => toast('failed', `It could not be taken back: ${failure instanceof Error ? failure.message : String(failure)}`),
        )
      })
    },
  })
}
