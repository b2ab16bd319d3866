/** What one can do to a release target, each asked first with what follows from it. */
import { signal } from '@preact/signals'
import { type Tagged, askPin, askUnpin } from '../../acts/pin.tsx'
import { Choice } from '../../acts/skip.tsx'
import { counted } from '../../acts/words.ts'
import { send } from '../../api/client.ts'
import type { TargetState, Verification } from '../../api/schema'
import { confirm } from '../../parts/Dialog.tsx'
import { toast } from '../../parts/say.tsx'

/** A version that may be chosen. */
export type Choosable = Tagged

/** What the actions speak of. */
export interface Of {
  /** The release target's key. */
  key: string
  /** How it is called: `prod-eu-1`. */
  name: string
  deployment: string
}

const BASE = '/api/v1/workspaces/{workspaceId}/release-targets/{releaseTargetKey}' as const

export function redeploy({ key, name }: Of, tag: string, marked: boolean): void {
  confirm({
    title: `Deploy ${tag} to ${name} again?`,
    consequence: `Makes one more job of ${tag} for ${name} now, whatever policies and retries say; a job that runs and a freeze are waited for.${marked ? ` The bad mark of ${tag} here is lifted.` : ''}`,
    verb: 'Deploy again',
    reason: 'optional',
    act: async ({ reason, key: request }) => {
      await send('post', `${BASE}/redeploy`, { path: { releaseTargetKey: key }, body: { reason }, key: request })
      toast('healthy', `${tag} is deployed to ${name} again.`)
    },
  })
}

/** Go back to an earlier version; the last good one is offered first. */
export function rollBack(of: Of, from: string, choices: readonly Choosable[], lastGood: string | undefined): void {
  const first = Math.max(0, choices.findIndex((one) => one.versionId === lastGood))
  const chosen = signal(first)
  const labels = choices.map((one) => (one.versionId === lastGood ? `${one.tag} (last good)` : one.tag))
  const Words = () => (
    <>
      Rolls {of.name} (1 target) back from {from} to {choices[chosen.value]?.tag} now; windows and cooldown do not apply. {from} stays away from this target
      until somebody lifts the mark{first !== chosen.value || !lastGood ? ', and so does what came between the two' : ''}.
    </>
  )
  confirm({
    title: `Roll back ${of.name}?`,
    consequence: <Words />,
    more: <Choice label="Back to" value={chosen} options={labels} />,
    verb: 'Roll back',
    danger: true,
    reason: 'required',
    act: async ({ reason, key }) => {
      const to = choices[chosen.peek()]
      if (!to) return
      await send('post', `${BASE}/rollback`, { path: { releaseTargetKey: of.key }, body: { reason, versionId: to.versionId }, key })
      toast('healthy', `${of.name} goes back to ${to.tag}.`)
    },
  })
}

export function pin(of: Of, choices: readonly Choosable[], running: string | undefined): void {
  askPin({
    what: of.name,
    choices,
    running,
    words: (tag) =>
      `Only ${tag} of ${of.deployment} goes to ${of.name} from now on; newer versions stay away until the pin is released. Policies apply to ${tag} as ever; a bad mark of it here is lifted.`,
    send: (versionId, reason, key) => send('put', `${BASE}/pin`, { path: { releaseTargetKey: of.key }, body: { versionId, reason }, key }),
  })
}

export function unpin(of: Of, tag: string): void {
  askUnpin({
    what: of.name,
    words: `${of.name} is no longer held at ${tag}: the newest version that every rule allows goes there, at once if there is one.`,
    send: (key) => send('delete', `${BASE}/pin`, { path: { releaseTargetKey: of.key }, key }),
  })
}

export function cancelJob(of: Of, job: { id: string; agent: string; tag: string }): void {
  confirm({
    title: `Cancel the job of ${job.tag}?`,
    consequence: `Ends the job of ${job.tag} for ${of.name} here, and tells ${job.agent} to stop it. The target stays as the job leaves it; the version is not deployed again by itself.`,
    verb: 'Cancel the job',
    danger: true,
    reason: 'optional',
    act: async ({ reason, key }) => {
      await send('post', '/api/v1/workspaces/{workspaceId}/jobs/{jobId}/cancel', { path: { jobId: job.id }, body: { reason }, key })
      toast('healthy', `The job of ${job.tag} is cancelled.`)
    },
  })
}

export function verifyAgain(of: Of, verification: Verification, tag: string): void {
  const metrics = verification.metrics
  const all = metrics.reduce((sum, one) => sum + one.count, 0)
  const took = Math.max(0, ...metrics.map((one) => (one.count - 1) * one.intervalSeconds))
  confirm({
    title: `Verify ${tag} on ${of.name} again?`,
    consequence: `Takes ${counted(all, 'measurement')} of ${counted(metrics.length, 'metric')} once more${took ? `, over ${took} s` : ''}. What comes out counts instead of attempt ${verification.attempt}, which ${verification.status === 'running' ? 'still runs' : `is ${verification.status}`}.`,
    verb: 'Verify again',
    reason: 'optional',
    act: async ({ reason, key }) => {
      await send('post', '/api/v1/workspaces/{workspaceId}/verifications/{verificationId}/verify-again', {
        path: { verificationId: verification.id },
        body: { reason },
        key,
      })
      toast('healthy', `${tag} is verified again.`)
    },
  })
}

export function liftMark(of: Of, { versionId, tag }: Choosable): void {
  confirm({
    title: `Lift the mark of ${tag} on ${of.name}?`,
    consequence: `${tag} counts as any other version on ${of.name} again: where it is the newest that every rule allows, it is deployed there at once.`,
    verb: 'Lift the mark',
    danger: true,
    act: async ({ key }) => {
      await send('delete', `${BASE}/bad-versions/{versionId}`, { path: { releaseTargetKey: of.key, versionId }, key })
      toast('healthy', `${tag} may go to ${of.name} again.`)
    },
  })
}

/** Of a target's versions, those that one can go back to: all but the one that is wanted now. */
export function earlier(choices: readonly Choosable[], state: TargetState): Choosable[] {
  const wanted = state.desiredRelease?.version.id
  return choices.filter((one) => one.versionId !== wanted)
}
