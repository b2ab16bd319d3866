/** What a person can do about a job. */
import { signal } from '@preact/signals'
import { send } from '../../api/client.ts'
import type { Body } from '../../api/client.ts'
import { confirm } from '../../parts/Dialog.tsx'
import { toast } from '../../parts/say.tsx'
import { spelt } from '../../parts/states.ts'
import type { JobNames } from './names.ts'
import { STATUSES, overrideSays } from './words.ts'

type Wanted = Body<'/api/v1/workspaces/{workspaceId}/jobs/{jobId}/status', 'put'>

interface Job extends JobNames {
  id: string
}

/** Stop a job. */
export function cancelJob({ id, what, where, agent }: Job): void {
  confirm({
    title: 'Cancel this job?',
    consequence: `Tells ${agent} to stop deploying ${what} to ${where}, and ends the job. What it did until then stays as it is; nothing is retried by itself.`,
    verb: 'Cancel the job',
    danger: true,
    reason: 'optional',
    act: ({ reason, key }) =>
      send('post', '/api/v1/workspaces/{workspaceId}/jobs/{jobId}/cancel', { path: { jobId: id }, body: { reason }, key }).then(() =>
        toast('healthy', `Cancelled: ${what} to ${where}.`),
      ),
  })
}

/** Say how a job stands, whatever its agent said. */
export function overrideJob({ id, what, where }: Job, status: string): void {
  const chosen = signal(status === 'successful' ? 'failure' : 'successful')
  confirm({
    title: 'Override the status of this job?',
    consequence: <Says chosen={chosen} what={what} where={where} />,
    more: (
      <div class="labelled">
        <label for="override-status">It stands</label>
        <select id="override-status" class="field" value={chosen} onChange={(event) => (chosen.value = event.currentTarget.value)}>
          {Object.keys(STATUSES)
            .filter((key) => key !== status)
            .map((key) => (
              <option key={key} value={key}>
                {spelt(key)}
              </option>
            ))}
        </select>
      </div>
    ),
    verb: 'Override the status',
    danger: true,
    reason: 'required',
    act: ({ reason, key }) => {
      const body = { status: chosen.peek(), message: reason } as Wanted
      return send('put', '/api/v1/workspaces/{workspaceId}/jobs/{jobId}/status', { path: { jobId: id }, body, key }).then(() =>
        toast('healthy', `The job is ${spelt(chosen.peek())} now.`),
      )
    },
  })
}

function Says({ chosen, what, where }: { chosen: { value: string }; what: string; where: string }) {
  return <>{overrideSays(chosen.value, what, where)}</>
}

/** Dispatch what is wanted on the job's target once more. */
export function retryJob({ where, agent }: Job, releaseTargetKey: string, desired: string): void {
  confirm({
    title: 'Deploy there again?',
    consequence: `Makes a new job for ${agent} that deploys ${desired}, which is wanted on ${where}, once more at once, whatever policies and windows say. A freeze of it is waited for.`,
    verb: 'Deploy again',
    reason: 'optional',
    act: ({ reason, key }) =>
      send('post', '/api/v1/workspaces/{workspaceId}/release-targets/{releaseTargetKey}/redeploy', {
        path: { releaseTargetKey },
        body: { reason },
        key,
      }).then(() => toast('healthy', `Deploys ${desired} to ${where} again.`)),
  })
}
