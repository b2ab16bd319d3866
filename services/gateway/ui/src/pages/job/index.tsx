/** One job: who does it, how it stands, what happened, and what it was made from. */
import type { ComponentChildren } from 'preact'
import type { Answer } from '../../api/client.ts'
import { useQuery } from '../../api/useQuery.ts'
import { useCommands } from '../../frame/commands.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Card, Countdown, Icon, Time } from '../../parts/base.tsx'
import { Action, PAST } from '../../parts/Button.tsx'
import { Links } from '../../parts/Links.tsx'
import { Said } from '../../parts/Said.tsx'
import { Menu } from '../../parts/Menu.tsx'
import { Copy, Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { JobState, VerificationState } from '../../parts/State.tsx'
import { linksOf } from '../../parts/links.ts'
import { isActive } from '../../parts/states.ts'
import { Tree } from '../../parts/Tree.tsx'
import { at, href } from '../../router/location.ts'
import { cancelJob, overrideJob, retryJob } from './acts.tsx'
import { Duration } from './Duration.tsx'
import { Facts } from './Facts.tsx'
import { namesOfJob } from './names.ts'
import { STATUSES } from './words.ts'
import './job.css'

type Job = Answer<'/api/v1/workspaces/{workspaceId}/jobs/{jobId}', 'get'>
type Context = NonNullable<Job['dispatchContext']>

export default function JobPage({ jobId }: { jobId: string }) {
  const topics = [`job:${jobId}`]
  const job = useQuery('/api/v1/workspaces/{workspaceId}/jobs/{jobId}', { path: { jobId }, topics })
  const found = job.data.value
  const key = found ? targetOf(found.dispatchContext) : ''
  const state = useQuery('/api/v1/workspaces/{workspaceId}/release-targets/{releaseTargetKey}/state', {
    path: { releaseTargetKey: key },
    topics: [`target:${key}`],
    when: key !== '',
  })
  const names = found ? { id: jobId, ...namesOf(found.dispatchContext) } : null
  useCrumbs([{ label: 'Jobs', href: href('jobs') }, { label: names ? `${names.what} · ${names.where}` : jobId.slice(0, 8) }])

  const active = found ? isActive(found.status) : false
  const desired = state.data.value?.desiredRelease?.version.tag ?? ''
  const offCancel = active ? '' : 'It has ended: there is nothing to stop.'
  const offRetry = !key ? 'It is a step of a workflow: run the workflow again.' : active ? 'It is under way: cancel it first.' : desired ? '' : state.data.value ? 'Nothing is wanted there now.' : 'What is wanted there is not known yet.'
  const cancel = () => names && cancelJob(names)
  const override = () => names && found && overrideJob(names, found.status)
  const retry = () => names && retryJob(names, key, desired)
  const can = at.value === null && names !== null
  useKeys([
    { key: 'c', does: 'cancel the job', run: () => can && !offCancel && cancel() },
    { key: 'r', does: 'deploy there again', run: () => can && !offRetry && retry() },
    { key: 's', does: 'override its status', run: () => can && override() },
  ])
  useCommands(can ? [...(offCancel ? [] : [{ label: 'Cancel this job', run: () => cancel() }]), { label: 'Override the status of this job', run: () => override() }] : [])

  if (job.error.value?.status === 404) {
    return (
      <Empty page title="There is no such job">
        <p>
          <code>{jobId}</code> {at.value === null ? 'is in no job of this workspace.' : 'was not made yet at the moment that you look at.'}{' '}
          <a href={href('jobs')}>See every job</a>.
        </p>
      </Empty>
    )
  }
  if (job.error.value && !found) {
    return (
      <div class="sheet">
        <ErrorCard error={job.error.value} what="The job:" retry={job.reload} />
      </div>
    )
  }
  if (!found || !names) return job.slow.value ? <div class="sheet"><Skeleton lines={10} /></div> : null
  const offNow = (off: string) => (at.value === null ? off : PAST)
  return (
    <div class="sheet">
      <div class="head">
        <h1>
          {names.what} <span class="quiet">to</span> {names.where}
        </h1>
        <JobState state={found.status} pill />
        <div class="actions">
          <Action kind="danger" off={offCancel} onPress={cancel}>
            Cancel
          </Action>
          <Action off={offRetry} onPress={retry}>
            Deploy again
          </Action>
          <Menu
            label="More actions"
            class="btn square"
            items={[{ label: 'Override the status…', onPick: override, off: offNow('') }]}
          >
            <Icon name="more" />
          </Menu>
        </div>
        <p>
          <Said>{found.message || STATUSES[found.status]}</Said>
        </p>
      </div>
      {job.error.value ? <ErrorCard error={job.error.value} what="This is not the newest state:" retry={job.reload} /> : null}
      <div class="cols">
        <div>
          <Standing job={found} />
          <Card title="What it was made from" note="as it was then">
            {found.dispatchContext ? (
              <div class="in">
                <Tree value={found.dispatchContext} label="the dispatch context" open={0} />
              </div>
            ) : (
              <p class="in quiet">What it was made from is no longer kept.</p>
            )}
          </Card>
        </div>
        <div>
          <Facts jobId={jobId} />
          <Verifications jobId={jobId} targetKey={key} />
        </div>
      </div>
    </div>
  )
}

function Standing({ job }: { job: Job }) {
  const { dispatchContext: context, lease, delay, cancellation } = job
  const active = isActive(job.status)
  const key = targetOf(context)
  const links = linksOf(job.metadata)
  const others = Object.entries(job.metadata).filter(([name]) => name !== 'ctrlplane/links')
  return (
    <Card title="How it stands">
      <dl class="facts in">
        <Fact term="Agent">
          {job.jobAgentId ? (
            <>
              <a href={href('settings', { section: 'agents' })}>{context?.jobAgent.name || job.jobAgentId.slice(0, 8)}</a>{' '}
              <span class="quiet">{context?.jobAgent.type}</span>
            </>
          ) : (
            <span class="quiet">none, or it was deleted</span>
          )}
        </Fact>
        {key ? (
          <Fact term="Target">
            <a href={href('target', { releaseTargetKey: key })}>{namesOf(context).where}</a>
          </Fact>
        ) : null}
        {context?.version ? (
          <Fact term="Version">
            <a href={href('version', { versionId: context.version.id })}>{context.version.tag}</a>
          </Fact>
        ) : null}
        <Fact term="Made">
          <Time at={job.createdAt} />
        </Fact>
        {job.startedAt ? (
          <Fact term="Began">
            <Time at={job.startedAt} />
          </Fact>
        ) : null}
        {job.startedAt ? (
          <Fact term={job.completedAt ? 'Took' : 'Takes'}>
            <Duration from={job.startedAt} to={job.completedAt} active={active} />
          </Fact>
        ) : null}
        {active && job.deadlineAt ? (
          <Fact term="Deadline">
            <Countdown until={job.deadlineAt} label="It fails at " /> <span class="quiet">left, then it fails</span>
          </Fact>
        ) : null}
        {lease ? (
          <Fact term="Lease">
            held by {lease.instance || 'an instance without a name'}, claim {lease.claims}, <Countdown until={lease.expiresAt} label="It is over at " />{' '}
            <span class="quiet">left unless it says that it goes on</span>
          </Fact>
        ) : null}
        {delay ? (
          <Fact term="Calls">
            call {delay.calls} of {delay.call} did not get through: {delay.message}. Again in <Countdown until={delay.nextAt} />
          </Fact>
        ) : null}
        {cancellation ? (
          <Fact term="Cancelled">
            the agent said that it {cancellation.stopped ? 'stopped' : 'did not stop'}
            {cancellation.message ? `: ${cancellation.message}` : ''} <Time at={cancellation.answeredAt} ago />
          </Fact>
        ) : null}
        {links.length ? (
          <Fact term="Links">
            <Links links={links} />
          </Fact>
        ) : null}
        {job.externalId ? (
          <Fact term="Run outside">
            <code>{job.externalId}</code>
          </Fact>
        ) : null}
        {others.map(([name, value]) => (
          <Fact key={name} term={name}>
            {value}
          </Fact>
        ))}
        <Fact term="Id">
          <code>{job.id}</code> <Copy text={job.id} label="Copy the id" />
        </Fact>
      </dl>
    </Card>
  )
}

function Fact({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  )
}

function Verifications({ jobId, targetKey }: { jobId: string; targetKey: string }) {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/jobs/{jobId}/verifications', { path: { jobId }, query: { limit: 50 }, topics: [`job:${jobId}`] })
  const items = asked.data.value?.items
  return (
    <Card title="Verifications" note={items?.length ? `${asked.data.value?.total}` : undefined}>
      {asked.error.value ? (
        <ErrorCard error={asked.error.value} what="The verifications:" retry={asked.reload} />
      ) : !items ? (
        <Skeleton lines={2} />
      ) : !items.length ? (
        <p class="in quiet">None: no policy wants anything measured after this job, or it is not that far.</p>
      ) : (
        <ul class="checks">
          {items.map((one) => (
            <li key={one.id}>
              <VerificationState state={one.status} />
              <span class="cut" title={one.message}>
                {one.metrics.map((metric) => metric.name).join(', ')}
                {one.attempt > 1 ? <span class="quiet"> · attempt {one.attempt}</span> : null}
                {one.watching ? <span class="quiet"> · watches on</span> : null}
              </span>
              <Time at={one.finishedAt || one.createdAt} ago />
              {one.message ? (
                <p class="quiet">
                  <Said>{one.message}</Said>
                </p>
              ) : null}
            </li>
          ))}
        </ul>
      )}
      {targetKey && items?.length ? (
        <p class="in">
          <a href={href('target', { releaseTargetKey: targetKey })}>Measurements and charts</a>
        </p>
      ) : null}
    </Card>
  )
}

function targetOf(context: Context | null | undefined): string {
  const target = context?.release?.releaseTarget
  return target ? `${target.resourceId}-${target.environmentId}-${target.deploymentId}` : ''
}

function namesOf(context: Context | null | undefined) {
  const workflow = (context?.workflow ?? {}) as { name?: string }
  const step = (context?.workflowJob ?? {}) as { name?: string }
  return namesOfJob({
    deployment: context?.deployment ?? null,
    environment: context?.environment ?? null,
    resource: context?.resource ?? null,
    version: context?.version ?? null,
    agent: context?.jobAgent ?? null,
    run: workflow.name ? { workflow: workflow.name, step: step.name ?? 'a step' } : null,
  })
}
